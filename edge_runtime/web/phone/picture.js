// From a camera picture to the face network's input: face.py and detection.py, held to them by
// golden vectors. A picture is {width, height, data}: RGBA, as ImageData has it.

// A crop's side, and how far its middle lies below the box's, in sides of the detector's box. The
// box of BlazeFace is smaller than the Haar cascade's: docs/measurements/running.md has the figures.
export const BLAZEFACE_MARGIN = { side: 1.4, down: -0.17 };

/** To the nearest whole number, halves to the even one, as Python's round. */
export function rounded(number) {
  const low = Math.floor(number);
  const rest = number - low;
  if (rest !== 0.5) return Math.round(number);
  return low % 2 === 0 ? low : low + 1;
}

/** The square to crop for a box {left, top, width, height}: {left, top, side}. */
export function faceSquare(box, margin = BLAZEFACE_MARGIN) {
  const longer = Math.max(box.width, box.height);
  const side = Math.max(1, rounded(margin.side * longer));
  const across = box.left + box.width / 2;
  const down = box.top + box.height / 2 + margin.down * longer;
  return { left: rounded(across - side / 2), top: rounded(down - side / 2), side };
}

/** How far a square reaches over the picture's edge where it does most, in sides of the square. */
export function overhang({ left, top, side }, { width, height }) {
  return Math.max(-left, -top, left + side - width, top + side - height, 0) / side;
}

/** The picture in a square; what lies outside is the nearest pixel at the edge. */
export function cut({ width, height, data }, { left, top, side }) {
  const out = new Uint8ClampedArray(4 * side * side);
  const clipped = (place, length) => Math.min(Math.max(place, 0), length - 1);
  for (let row = 0; row < side; row++) {
    const from = clipped(top + row, height) * width;
    for (let column = 0; column < side; column++) {
      const pixel = 4 * (from + clipped(left + column, width));
      out.set(data.subarray(pixel, pixel + 4), 4 * (row * side + column));
    }
  }
  return { width: side, height: side, data: out };
}

/** The middle square, resized as Pillow's bilinear filter does to the bit: RGB [size, size, 3]. */
export function squareFace({ width, height, data }, size) {
  const side = Math.min(width, height);
  const left = Math.floor((width - side) / 2);
  const top = Math.floor((height - side) / 2);
  const square = new Uint8ClampedArray(3 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const pixel = 4 * ((top + row) * width + left + column);
      square.set(data.subarray(pixel, pixel + 3), 3 * (row * side + column));
    }
  }
  if (side === size) return square;
  const filter = triangles(side, size);
  return filtered(filtered(square, side, filter), size, filter);
}

/** RGB [size, size, 3] -> the network's input, float32, 0 to 255. */
export function faceInput(face) {
  return Float32Array.from(face);
}

/** By place of the result: the first place of the source, and weights of 22 binary places. */
function triangles(side, size) {
  const scale = side / size;
  const reach = Math.max(scale, 1);
  return Array.from({ length: size }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach + 0.5), side);
    const weights = [];
    for (let from = first; from < end; from++) {
      weights.push(Math.max(1 - Math.abs((from - centre + 0.5) * (1 / reach)), 0));
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((w) => Math.floor((w / sum) * 2 ** 22 + 0.5)) };
  });
}

/** [lines, side, 3] -> [size, lines, 3]: along each line, and turned. */
function filtered(pixels, lines, filter) {
  const side = pixels.length / 3 / lines;
  const out = new Uint8ClampedArray(3 * lines * filter.length);
  filter.forEach(({ first, weights }, place) => {
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 2 ** 21;
        let from = 3 * (line * side + first) + channel;
        for (const weight of weights) {
          sum += weight * pixels[from];
          from += 3;
        }
        out[3 * (place * lines + line) + channel] = Math.floor(sum / 2 ** 22);
      }
    }
  });
  return out;
}
