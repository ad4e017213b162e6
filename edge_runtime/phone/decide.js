// Who is it, or nobody, and why: decide.py. A verdict is {person, reason, names, scores, leftOut,
// threshold}; person is null for nobody, and where there are no thresholds.

import { fuse, largest } from "./scoring.js";
import { cosine, disagreement, logOdds, PLAIN } from "./similarity.js";

/** By the networks' scores {face, voice}, each [people] or absent. */
export function amongTrained(manifest, scores) {
  const { people: names, thresholds } = manifest;
  const fused = fuse(scores.face, scores.voice, manifest.score_scaling);
  const column = !scores.voice ? "face" : !scores.face ? "voice" : "ensemble";
  const threshold = thresholds?.[column] ?? null;
  const verdict = { person: null, names, scores: { ...scores, fused }, leftOut: [], threshold };
  if (!thresholds) return { ...verdict, reason: "no_thresholds" };
  const best = largest(fused);
  if (fused[best] < threshold) return { ...verdict, reason: "below_threshold" };
  return { ...verdict, person: names[best], reason: "accepted" };
}

/** By embeddings {face, voice} of length 1, each [dim] or absent.
 *
 *  people: [{name, templates: {face, voice}, rejected: {face: [...], voice: [...]}}].
 *  limits: what `visavox thresholds` found, or null. doubtful: the modalities that speak for people,
 *  and against nobody whom the other speaks for. */
export function amongEnrolled(people, embeddings, limits, doubtful = []) {
  const names = people.map((person) => person.name);
  if (!names.length) {
    return { person: null, reason: "nobody_enrolled", names, scores: { fused: [] }, leftOut: [],
      threshold: null };
  }
  const cosines = {};
  for (const modality of Object.keys(embeddings)) {
    cosines[modality] = Float32Array.from(people, ({ templates }) =>
      templates[modality] ? cosine(templates[modality], embeddings[modality]) : NaN);
  }
  const fitted = limits?.odds ?? PLAIN;
  const sure = Object.keys(cosines).filter((modality) => !doubtful.includes(modality));
  const odds = logOdds(fitted, cosines, limits ? sure : []);
  const leftOut = leaveOutRejected(people, embeddings, cosines, odds);
  const fused = limits ? odds.map((value) => 1 / (1 + Math.exp(-value)))
    : odds.map((value) => Math.max(value, -1));
  const verdict = { person: null, names, scores: { ...cosines, fused }, leftOut,
    threshold: null };
  if (!limits) return { ...verdict, reason: "no_thresholds" };
  const best = largest(odds);
  const there = Object.keys(cosines).filter((modality) => !Number.isNaN(cosines[modality][best]));
  const least = limits.thresholds[columnOf(there.length ? there : Object.keys(cosines))];
  verdict.threshold = 1 / (1 + Math.exp(-least));
  if (odds[best] >= least) {
    return { ...verdict, person: names[best], reason: "accepted" };
  }
  const disagree = sure.length > 1 && disagreement(fitted, cosines);
  return { ...verdict, reason: disagree ? "disagreement" : "below_threshold" };
}

function columnOf(modalities) {
  return modalities.length > 1 ? "both" : modalities[0];
}

/** Takes people out of the odds whose "not this person" sample is more alike than they are. */
function leaveOutRejected(people, embeddings, cosines, odds) {
  const leftOut = [];
  for (;;) {
    const best = largest(odds);
    if (!Number.isFinite(odds[best])) return leftOut;
    const against = Object.keys(embeddings).some((modality) => {
      const samples = people[best].rejected?.[modality] ?? [];
      const likeness = samples.map((sample) => cosine(sample, embeddings[modality]));
      return samples.length && !(Math.max(...likeness) <= cosines[modality][best]);
    });
    if (!against) return leftOut;
    odds[best] = -Infinity;
    leftOut.push(people[best].name);
  }
}
