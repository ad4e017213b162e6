// Where the faces are: BlazeFace (short range), run like the bundle's networks. Bazarevsky et al.,
// BlazeFace: sub-millisecond neural face detection on mobile GPUs, 2019. docs/explanation/phone.md
// says why.

export const SIDE = 128; // pixels of the square that is searched
const MIN_SCORE = 0.5;
const SAME_FACE = 0.3; // of two boxes, in shares of what both cover

// Two boxes at each place of a grid of 16 x 16, six at each of 8 x 8.
const ANCHORS = [[16, 2], [8, 6]].flatMap(([grid, boxes]) =>
  Array.from({ length: grid * grid * boxes }, (_, i) => {
    const place = Math.floor(i / boxes);
    return [((place % grid) + 0.5) / grid, (Math.floor(place / grid) + 0.5) / grid];
  }));

const canvas = typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(SIDE, SIDE);

/** Boxes {left, top, width, height, score} on a picture, in its pixels, the largest first.
 *  source: whatever a canvas can draw, such as a video or an ImageBitmap. */
export async function detect(run, source, width, height) {
  const longer = Math.max(width, height);
  const scale = SIDE / longer;
  const [left, top] = [(longer - width) / 2, (longer - height) / 2];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillRect(0, 0, SIDE, SIDE);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, left * scale, top * scale, width * scale, height * scale);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const input = new Float32Array(3 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let k = 0; k < 3; k++) input[3 * i + k] = data[4 * i + k] / 127.5 - 1;
  }
  const { regressors, classificators } = await run("detector", {
    input: { data: input, shape: [1, SIDE, SIDE, 3] },
  });
  return boxesOf(regressors, classificators).map((box) => ({
    left: Math.round(box.left * longer - left),
    top: Math.round(box.top * longer - top),
    width: Math.max(1, Math.round(box.width * longer)),
    height: Math.max(1, Math.round(box.height * longer)),
    score: box.score,
  }));
}

/** The network's two outputs -> boxes in shares of the square, the largest first. */
function boxesOf(regressors, classificators) {
  const found = [];
  ANCHORS.forEach(([x, y], i) => {
    const score = 1 / (1 + Math.exp(-classificators[i]));
    if (score < MIN_SCORE) return;
    const [dx, dy, width, height] = regressors.subarray(16 * i, 16 * i + 4)
      .map((value) => value / SIDE);
    found.push({ left: x + dx - width / 2, top: y + dy - height / 2, width, height, score });
  });
  found.sort((a, b) => b.score - a.score);
  const boxes = [];
  while (found.length) {
    const near = found.filter((box) => overlap(found[0], box) > SAME_FACE);
    boxes.push(blended(near));
    for (const box of near) found.splice(found.indexOf(box), 1);
  }
  return boxes.sort((a, b) => b.width * b.height - a.width * a.height);
}

/** Boxes of one face, weighed by their scores, as the paper has it against jitter. */
function blended(near) {
  const total = near.reduce((sum, box) => sum + box.score, 0);
  const mean = (side) => near.reduce((sum, box) => sum + box.score * box[side], 0) / total;
  return { left: mean("left"), top: mean("top"), width: mean("width"), height: mean("height"),
    score: near[0].score };
}

function overlap(a, b) {
  const across = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const down = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  const both = Math.max(across, 0) * Math.max(down, 0);
  return both / (a.width * a.height + b.width * b.height - both);
}
