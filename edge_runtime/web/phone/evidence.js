// What a few seconds of camera and microphone say together, and names that do not flicker:
// evidence.py, where the numbers are explained. Times are seconds of performance.now().

import parameters from "./shared/parameters.js";

const { HALF_LIFE_S, FRESH_S, NAME_AFTER_S, FORGET_AFTER_S, GONE_S } = parameters.evidence;

/** A running mean of rows of one modality each: embeddings, or logarithms of scores. */
export class Evidence {
  #sums = {};

  add(modality, row, timeS, weight = 1) {
    let known = this.#sums[modality];
    if (!known || timeS - known.lastS > FRESH_S) {
      known = { total: new Float64Array(row.length), weight: 0, lastS: timeS };
    }
    const faded = 0.5 ** (Math.max(timeS - known.lastS, 0) / HALF_LIFE_S);
    this.#sums[modality] = {
      total: known.total.map((value, i) => faded * value + weight * row[i]),
      weight: faded * known.weight + weight,
      lastS: Math.max(timeS, known.lastS),
    };
  }

  /** By modality, those that are fresh. */
  means(timeS) {
    const fresh = Object.entries(this.#sums).filter(([, sum]) => timeS - sum.lastS <= FRESH_S);
    return Object.fromEntries(fresh.map(([modality, { total, weight }]) =>
      [modality, total.map((value) => value / weight)]));
  }

  /** Nobody is there any more: who comes next is somebody else. */
  clear() {
    this.#sums = {};
  }
}

/** One after the other before the camera. sinceS: when the last one came or went; what was seen and
 *  heard before is of somebody else. */
export class Visit {
  sinceS = -Infinity;
  #faceS = -Infinity; // nobody is there
  #missed = false; // whether the last picture was without a face

  /** A picture, with a face or without one -> whether somebody has come or gone. */
  see(face, timeS) {
    const awayS = timeS - this.#faceS;
    const gone = this.#missed && awayS >= GONE_S && awayS < Infinity;
    const changed = gone || (face && awayS >= FORGET_AFTER_S);
    if (changed) this.sinceS = timeS;
    if (face) this.#faceS = timeS;
    else if (gone) this.#faceS = -Infinity;
    this.#missed = !face;
    return changed;
  }
}

/** Hysteresis over decisions: who is named. */
export class SteadyName {
  named = null;
  #candidate = null;
  #candidateSinceS = 0;
  #confirmedS = 0;

  /** A decision of now (null for nobody) -> who is named. */
  update(person, timeS) {
    if (person !== this.#candidate) {
      this.#candidate = person;
      this.#candidateSinceS = timeS;
    }
    if (person !== null && person === this.named) {
      this.#confirmedS = timeS;
    } else if (person !== null && timeS - this.#candidateSinceS >= NAME_AFTER_S) {
      this.named = person;
      this.#confirmedS = timeS;
    } else {
      this.wait(timeS);
    }
    return this.named;
  }

  /** Nothing was seen or heard since the last decision -> who is named. */
  wait(timeS) {
    if (this.named !== null && timeS - this.#confirmedS >= FORGET_AFTER_S) this.named = null;
    return this.named;
  }

  /** Somebody has come, perhaps another: who is named stays so only if the next decision is for
   *  them. */
  doubt() {
    this.#candidate = null;
    this.#confirmedS = -Infinity;
  }
}
