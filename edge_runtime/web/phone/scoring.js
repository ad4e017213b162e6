// Scores of a face and a voice, fused: scoring.py.

import parameters from "./shared/parameters.js";

const { LEAST_SCORE } = parameters.scoring;

/** Scores [people] of one or both modalities (null where there is none) -> fused scores. */
export function fuse(face, voice, scaling) {
  if (!face || !voice) {
    const alone = face ?? voice;
    if (!scaling) return alone;
    const { temperature } = face ? scaling.face : scaling.voice;
    return softmax(logarithms(alone).map((value) => value / temperature));
  }
  if (!scaling) return face.map((value, i) => (value + voice[i]) / 2);
  const [byFace, byVoice] = [logarithms(face), logarithms(voice)];
  const [a, b] = [scaling.face, scaling.voice].map((part) => part.weight / part.temperature);
  return softmax(byFace.map((value, i) => a * value + b * byVoice[i]));
}

/** ln(scores), float64. */
export function logarithms(scores) {
  return Float64Array.from(scores, (score) => Math.log(Math.max(score, LEAST_SCORE)));
}

/** Logits -> float32 scores that sum to 1. */
export function softmax(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (power) => power / sum);
}

/** The place of the largest value, the first of equal ones. */
export function largest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
