// What the phone's modules make of the golden vectors; test_vectors.py compares.
async (vectors) => {
  const from = (name) => import(new URL(`/${name}.js`, location.href));
  const picture = await from("picture");
  const quality = await from("face-quality");
  const sound = await from("sound");
  const { fuse } = await from("scoring");
  const { amongEnrolled, amongTrained, candidates } = await from("decide");
  const { meanTemplate } = await from("similarity");
  const { Evidence, SteadyName, Visit } = await from("evidence");
  const samples = await from("samples");

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const digest = async (array) => Array.from(
    new Uint8Array(await crypto.subtle.digest("SHA-256", array.slice().buffer)),
    (byte) => byte.toString(16).padStart(2, "0")).join("");
  const list = (row) => row && Array.from(row, (value) => (Number.isNaN(value) ? null : value));
  const floats = (row) => row && Float32Array.from(row);
  const allowed = (call) => {
    try {
      return [call()];
    } catch {
      return null;
    }
  };

  const { rgb, width, height } = vectors.crop.picture;
  const pixels = bytes(rgb);
  const whole = { width, height, data: new Uint8ClampedArray(4 * width * height).fill(255) };
  for (let i = 0; i < width * height; i++) whole.data.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
  const lit = (crop, light) => ({ ...crop,
    data: crop.data.map((value) => Math.min(Math.floor(value * light), 255)) });
  const crop = await Promise.all(vectors.crop.cases.map(async ({ box, size, flaws }) => {
    const square = picture.faceSquare(box, vectors.crop.margin);
    const cut = picture.cut(whole, square);
    const face = picture.squareFace(cut, 96);
    const grey = new Float32Array(96 * 96).map((_, i) =>
      0.299 * face[3 * i] + 0.587 * face[3 * i + 1] + 0.114 * face[3 * i + 2]);
    return { box, size, square, overhang: picture.overhang(square, whole),
      face: await digest(picture.squareFace(cut, size)),
      sharpness: quality.sharpness(grey, 96),
      flaws: Object.fromEntries(Object.keys(flaws).map((light) =>
        [light, quality.cropQuality(lit(cut, Number(light)))])) };
  }));
  const sizes = await Promise.all(Object.keys(vectors.crop.whole).map(async (size) =>
    [size, await digest(picture.squareFace(whole, Number(size)))]));

  const steps = new Int8Array(bytes(vectors.sound.samples).buffer);
  const heard = Float32Array.from(steps, (value) => value / 128);
  const sounds = await Promise.all(vectors.sound.cases.map(async (one) => {
    const part = sound.centred(heard.slice(one.begin, one.end).map((value) =>
      Math.min(Math.max(Math.fround(value * one.gain) + one.offset, -1), 1)));
    return { ...one, window: await digest(sound.speechWindow(part, one.length)),
      clipped: sound.isClipped(part), snr: sound.snrDb(part) };
  }));

  const judged = ({ person, reason, people: names, scores, leftOut, threshold }) =>
    ({ person, reason, names, fused: list(scores.fused), leftOut, threshold });
  const rows = (given) => Object.fromEntries(Object.entries(given).map(([modality, row]) =>
    [modality, floats(row)]));
  const people = vectors.enrolled.people.map(({ name, samples: known, rejected }) => ({ name,
    rejected, templates: Object.fromEntries(Object.entries(known).map(([modality, embeddings]) =>
      [modality, meanTemplate(embeddings)])) }));

  const evidence = new Evidence();
  const steady = new SteadyName();
  const visit = new Visit();
  return {
    crop,
    whole: Object.fromEntries(sizes),
    sound: sounds,
    fuse: vectors.fuse.map(({ face, voice, scaling }) =>
      list(fuse(floats(face), floats(voice), scaling))),
    trained: vectors.trained.map(({ manifest, scores }) =>
      judged(amongTrained(manifest, rows(scores)))),
    enrolled: vectors.enrolled.cases.map(({ limits, people: count, embeddings, doubtful }) =>
      judged(amongEnrolled(candidates(people.slice(0, count), rows(embeddings),
        limits ? vectors.enrolled.limits : null), doubtful))),
    evidence: vectors.evidence.steps.map(({ timeS, modality, row, weight, doubted, person }) => {
      if (modality) evidence.add(modality, row, timeS, weight);
      if (doubted) steady.doubt();
      return { means: rows(evidence.means(timeS)), named: steady.update(person, timeS) };
    }).map(({ means, named }) => ({ named, means: Object.fromEntries(
      Object.entries(means).map(([modality, row]) => [modality, list(row)])) })),
    visits: vectors.visits.map(({ face, timeS }) =>
      ({ changed: visit.see(face, timeS), sinceS: Number.isFinite(visit.sinceS) ? visit.sinceS : null })),
    names: vectors.names.map(({ name, one, other }) => (name === undefined
      ? { same: !allowed(() => samples.checkedName(one, [{ name: other }])) }
      : { stored: allowed(() => samples.checkedName(name, []))?.[0] ?? null })),
    agreement: vectors.agreement.map(({ rows: embeddings }) =>
      Boolean(allowed(() => samples.checkAgreement({ face: embeddings })))),
  };
}
