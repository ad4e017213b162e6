// From sound to the voice network's input, and whether it is good enough: conditioning.py, voice.py
// and speech.py.
// How much of a clip is speech is not judged here: webrtcvad does not run in a browser.

export const SAMPLE_RATE = 16000; // Hz
const HOP = 160; // samples
const FRAME = 480; // samples
const MIN_LEVEL_DB = -50; // of full scale, the RMS of the network's window
const MIN_SNR_DB = 5.5;
const QUIET_SNR_DB = 10;
const MIN_SNR_SECONDS = 0.9;
const MIN_PEAK_RATIO = 1.08; // of the loudest half per mille to the loudest half per cent
const FAINT = 0.02;
const NO_CONSTANT = 1e-6; // of full scale
/** The flaw of a voice that is used, but may contradict no face. */
export const DOUBTFUL = "some_noise";

/** Without its mean, which cheap microphones add and nobody hears (conditioning.py). */
export function centred(sound) {
  if (!sound.length) return sound;
  const constant = Math.fround(mean(sound));
  return Math.abs(constant) < NO_CONSTANT ? sound : sound.map((value) => value - constant);
}

/** Where in a sound the window of `length` samples with the most speech starts. */
export function windowStart(sound, length) {
  if (sound.length <= length) return 0;
  const loudness = meanSquares(sound, HOP).map(Math.sqrt);
  const hops = loudness.length;
  const cap = Float64Array.from(loudness).sort()[Math.floor(0.9 * (hops - 1))];
  const total = [0];
  for (const value of loudness) total.push(total[total.length - 1] + Math.min(value, cap));
  const starts = Math.floor((sound.length - length) / HOP) + 1;
  const reach = Math.floor(length / HOP);
  const sums = Array.from({ length: starts }, (_, start) => total[start + reach] - total[start]);
  const most = sums.reduce((a, b) => Math.max(a, b));
  // Sums of equal loudness differ in their last digits by rounding: take the first one within it.
  return sums.findIndex((sum) => sum >= most * (1 - 1e-9)) * HOP;
}

/** The window itself; a shorter sound is repeated from its start. */
export function speechWindow(sound, length) {
  const start = windowStart(sound, length);
  if (sound.length > length) return sound.slice(start, start + length);
  const window = new Float32Array(length);
  for (let i = 0; i < length && sound.length; i++) window[i] = sound[i % sound.length];
  return window;
}

/** What is wrong with a clip, in words of speech.py; none: an empty list. */
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
  const power = meanSquares(sound, FRAME).filter((value) => value > 1e-12).sort();
  if (power.length * FRAME < MIN_SNR_SECONDS * SAMPLE_RATE) return null;
  const noise = mean(power.subarray(0, Math.floor(power.length / 10)));
  return decibels(mean(power) / noise - 1);
}

/** Whether the loudest peaks are all about as high, as they are when something cut them off. */
export function isClipped(sound) {
  const peaks = sound.map(Math.abs).sort();
  const last = peaks.length - 1;
  const louder = peaks[Math.trunc(0.9995 * last)];
  return peaks[last] >= FAINT && louder < MIN_PEAK_RATIO * peaks[Math.trunc(0.995 * last)];
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
  return 10 * Math.log10(Math.max(power, 1e-12));
}
