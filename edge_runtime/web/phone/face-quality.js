// Is this face good enough to be judged? face_quality.py, where the limits and their effect are
// explained. A flaw is a word, for the dictionary.

import { cut, faceSquare, overhang, squareFace } from "./picture.js";
import parameters from "./shared/parameters.js";

const {
  MIN_SIDE_PX, MAX_OVERHANG_SIDES, MIN_SHARPNESS, MIN_LIGHT_OF_255, MAX_WHITE_SHARE,
  MIN_CONTRAST_OF_255, WHITE_OF_255, JUDGED_PX, REACH_PX,
} = parameters.face_quality;

/** The crop of the largest of some boxes, null if it is not good enough; and its flaws. */
export function usableFace(picture, boxes) {
  if (!boxes.length) return { crop: null, flaws: ["no_face"] };
  const square = faceSquare(boxes[0]);
  const crop = cut(picture, square);
  const flaws = square.side < MIN_SIDE_PX ? ["face_too_small"] : [];
  if (overhang(square, picture) > MAX_OVERHANG_SIDES) flaws.push("face_cut_off");
  flaws.push(...cropQuality(crop));
  const usable = !flaws.length;
  if (boxes.length > 1) flaws.push("several_faces"); // which refuses nothing
  return { crop: usable ? crop : null, flaws };
}

/** Sharpness and light of a crop. */
export function cropQuality(crop) {
  const face = squareFace(crop, JUDGED_PX);
  const grey = new Float32Array(JUDGED_PX * JUDGED_PX);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = 0.299 * face[3 * i] + 0.587 * face[3 * i + 1] + 0.114 * face[3 * i + 2];
  }
  const flaws = light(grey, JUDGED_PX);
  if (sharpness(grey, JUDGED_PX) < MIN_SHARPNESS) flaws.push("face_blurred");
  return flaws;
}

function light(grey, side) {
  const edge = Math.floor(side / 4); // the middle is the face without what is behind
  const middle = [];
  for (let row = edge; row < side - edge; row++) {
    middle.push(...grey.subarray(row * side + edge, row * side + side - edge));
  }
  const ordered = Float32Array.from(middle).sort();
  const twentieth = Math.floor(ordered.length / 20);
  const bright = ordered[ordered.length - 1 - twentieth];
  if (bright < MIN_LIGHT_OF_255) return ["face_too_dark"];
  const white = middle.filter((value) => value >= WHITE_OF_255).length;
  if (white > MAX_WHITE_SHARE * middle.length) return ["face_too_bright"];
  return bright - ordered[twentieth] < MIN_CONTRAST_OF_255 ? ["face_low_contrast"] : [];
}

/** What a picture has to lose by a blur, 0 to 1, in the direction in which that is least. */
export function sharpness(grey, side) {
  return Math.min(lost(grey, side, side, 1), lost(grey, side, 1, side));
}

/** From place to place along `step`; the lines lie `across` apart. */
function lost(grey, side, step, across) {
  const half = (REACH_PX - 1) / 2;
  let gone = 0;
  let all = 0;
  for (let line = 0; line < side; line++) {
    const value = (place) => {
      const mirrored = side - 1 - Math.abs(side - 1 - Math.abs(place));
      return grey[line * across + mirrored * step];
    };
    let before = 0;
    for (let place = 0; place < side; place++) {
      let sum = 0;
      for (let near = place - half; near <= place + half; near++) sum += value(near);
      const blurred = sum / REACH_PX;
      if (place > 0) {
        const change = Math.abs(value(place) - value(place - 1));
        gone += Math.max(change - Math.abs(blurred - before), 0);
        all += change;
      }
      before = blurred;
    }
  }
  return gone / (all + 1);
}
