// Gathers what single faces and clips say, and says who it is: watch.py.

import { amongEnrolled, amongTrained, candidates } from "./decide.js";
import { detect } from "./detect.js";
import { Evidence, SteadyName, Visit } from "./evidence.js";
import { usableFace } from "./face-quality.js";
import { runModality } from "./networks.js";
import { faceInput, squareFace } from "./picture.js";
import { logarithms, softmax } from "./scoring.js";
import parameters from "./shared/parameters.js";
import { unit } from "./similarity.js";
import { DOUBTFUL, speechWindow, voiceQuality } from "./sound.js";

const { SAMPLE_RATE_HZ } = parameters.capture;

export class Watcher {
  #evidence = new Evidence();
  #steady = new SteadyName();
  #visit = new Visit();
  #news = false; // whether anything came since the last decision
  #doubtful = []; // by the last clip that was used
  #networks;
  #enrolled;

  /** enrolled: people as in decide.js, or null to decide among those of the training. */
  constructor(networks, enrolled) {
    this.#networks = networks;
    this.#enrolled = enrolled;
  }

  /** A whole picture. Returns its boxes, the flaws, and the embedding of a face that is used. */
  async see(camera, timeS) {
    const picture = camera.picture();
    if (!picture) return null;
    const { width, height } = picture;
    const boxes = await detect(this.#networks.run, camera.source, width, height);
    const { crop, flaws } = usableFace(picture, boxes);
    if (this.#visit.see(Boolean(crop), timeS)) {
      this.#evidence.clear();
      this.#steady.doubt();
    }
    if (!crop) return { boxes, flaws, picture };
    const input = faceInput(squareFace(crop, this.#networks.manifest.inputs.face.size));
    const outputs = await runModality(this.#networks, "face", input);
    this.#add("face", outputs, timeS);
    return { boxes, flaws, picture, embedding: outputs.embedding };
  }

  /** How many seconds of sound are of whoever is there now: what was said before a face came or
   *  went was said by somebody else. */
  heardS(timeS) {
    return Math.min(this.#clipSamples / SAMPLE_RATE_HZ, timeS - this.#visit.sinceS);
  }

  /** The last seconds of sound. Returns the flaws, and the embedding of a clip that is used. */
  async hear(sound, timeS) {
    const flaws = voiceQuality(sound, this.#clipSamples);
    if (flaws.some((flaw) => flaw !== DOUBTFUL)) return { flaws };
    const window = speechWindow(sound, this.#clipSamples);
    const outputs = await runModality(this.#networks, "voice", window);
    this.#doubtful = flaws.length ? ["voice"] : [];
    // A short clip is repeated, and says less than the longer one that follows.
    this.#add("voice", outputs, timeS, Math.min(sound.length / this.#clipSamples, 1) ** 2);
    return { flaws, embedding: outputs.embedding };
  }

  /** Who is named now, the decision by the last seconds, null without any, and the rows
   *  {face, voice} of scores or embeddings that it was made by. */
  decide(timeS) {
    const rows = this.#rows(timeS);
    const decision = !Object.keys(rows).length ? null
      : this.#enrolled ? amongEnrolled(
        candidates(this.#enrolled, rows, this.#networks.thresholds), this.#doubtful)
        : amongTrained(this.#networks.manifest, rows);
    // What was seen before proves nothing about who is there now.
    const named = this.#news || !decision ? this.#steady.update(decision?.person ?? null, timeS)
      : this.#steady.wait(timeS);
    this.#news = false;
    return { named, decision, rows };
  }

  get #clipSamples() {
    return this.#networks.manifest.inputs.voice.samples;
  }

  #add(modality, { scores, embedding }, timeS, weight = 1) {
    this.#evidence.add(modality, this.#enrolled ? embedding : logarithms(scores), timeS, weight);
    this.#news = true;
  }

  #rows(timeS) {
    const means = Object.entries(this.#evidence.means(timeS));
    return Object.fromEntries(means.map(([modality, mean]) =>
      [modality, this.#enrolled ? unit(mean) : softmax(mean)]));
  }
}
