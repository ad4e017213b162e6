// From sound to the voice network's input, and whether it is good enough: voice.py and
// voice_quality.py.
// How much of a clip is speech is not judged here: webrtcvad does not run in a browser.

import parameters from "./shared/parameters.js";

const { SAMPLE_RATE_HZ } = parameters.capture;
const {
  HOP_SAMPLES, FRAME_SAMPLES, MIN_LEVEL_DB, MIN_SNR_DB, QUIET_SNR_DB, MIN_SNR_S, MIN_PEAK_RATIO,
  FAINT_OF_FULL_SCALE, NO_CONSTANT_OF_FULL_SCALE, LEAST_POWER,
} = parameters.voice_quality;
/** The flaw of a voice that is used, but may contradict no face. */
export const DOUBTFUL = "some_noise";

/** Without its mean, which cheap microphones add and nobody hears (voice.py). */
export function centred(sound) {
  if (!sound.length) return sound;
  const constant = Math.fround(mean(sound));
  return Math.abs(constant) < NO_CONSTANT_OF_FULL_SCALE ? sound
    : sound.map((value) => value - constant);
}

/** Where in a sound the window of `length` samples with the most speech starts. */
export function windowStart(sound, length) {
  if (sound.length <= length) return 0;
  const loudness = meanSquares(sound, HOP_SAMPLES).map(Math.sqrt);
  const hops = loudness.length;
  const cap = Float64Array.from(loudness).sort()[Math.floor(0.9 * (hops - 1))];
  const total = [0];
  for (const value of loudness) total.push(total[total.length - 1] + Math.min(value, cap));
  const starts = Math.floor((sound.length - length) / HOP_SAMPLES) + 1;
  const reach = Math.floor(length / HOP_SAMPLES);
  const sums = Array.from({ length: starts }, (_, start) => total[start + reach] - total[start]);
  const most = sums.reduce((a, b) => Math.max(a, b));
  // Sums of equal loudness differ in their last digits by rounding: take the first one within it.
  return sums.findIndex((sum) => sum >= most * (1 - 1e-9)) * HOP_SAMPLES;
}

/** The window itself; a shorter sound is repeated from its start. */
export function speechWindow(sound, length) {
  const start = windowStart(sound, length);
  if (sound.length > length) return sound.slice(start, start + length);
  const window = new Float32Array(length);
  for (let i = 0; i < length && sound.length; i++) window[i] = sound[i % sound.length];
  return window;
}

/** What is wrong with a clip, in words of voice_quality.py; none: an empty list. */
export function voiceQuality(sound, length) {
  if (!sound.length) return ["voice_too_quiet"];
  const flaws = [];
  if (levelDb(speechWindow(sound, length)) < MIN_LEVEL_DB) flaws.push("voice_too_quiet");
  if (isClipped(sound)) flaws.push("voice_clipped");
  const snr = snrDb(sound);
  if (snr !== null && snr < MIN_SNR_DB) flaws.push("voice_noisy");
  else if (snr !== null && snr < QUIET_SNR_DB) flaws.push(DOUBTFUL); // which refuses nothing
  return flaws;
}

/** The level in decibels of full scale. */
export function levelDb(sound) {
  return decibels(mean(sound.map((value) => value * value)));
}

/** How far the sound stands above its own quietest tenth; null for too short ones. */
export function snrDb(sound) {
  const power = meanSquares(sound, FRAME_SAMPLES).filter((value) => value > LEAST_POWER).sort();
  if (power.length * FRAME_SAMPLES < MIN_SNR_S * SAMPLE_RATE_HZ) return null;
  const noise = mean(power.subarray(0, Math.floor(power.length / 10)));
  return decibels(mean(power) / noise - 1);
}

/** Whether the loudest peaks are all about as high, as they are when something cut them off. */
export function isClipped(sound) {
  const peaks = sound.map(Math.abs).sort();
  const last = peaks.length - 1;
  const louder = peaks[Math.trunc(0.9995 * last)];
  return peaks[last] >= FAINT_OF_FULL_SCALE
    && louder < MIN_PEAK_RATIO * peaks[Math.trunc(0.995 * last)];
}

/** Of each `length` samples; what is left over at the end is dropped. */
function meanSquares(sound, length) {
  const out = new Float64Array(Math.floor(sound.length / length));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = i * length; k < (i + 1) * length; k++) sum += sound[k] * sound[k];
    out[i] = sum / length;
  }
  return out;
}

function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function decibels(power) {
  return 10 * Math.log10(Math.max(power, LEAST_POWER));
}
