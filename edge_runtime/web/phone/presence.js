// Whether somebody is there, and what is known of them: apps/kiosk/presence.py.

import parameters from "./shared/parameters.js";

const { GONE_S, HEARD_S, NOBODY_AFTER_S } = parameters.evidence;

export class Presence {
  state = "idle";
  #faceS = -Infinity; // when they were seen and heard
  #voiceS = -Infinity;
  #sinceS = null; // since when somebody is there without a name

  /** A look: whether there is a face, whether good speech was heard, and what was decided.
   *  Returns idle, looking, listening, known or nobody. */
  update({ face, spoke }, { named, decision }, timeS) {
    if (face) this.#faceS = timeS;
    if (spoke) this.#voiceS = timeS;
    if (named !== null) {
      this.#sinceS = null;
      return (this.state = "known");
    }
    if (timeS - this.#faceS >= GONE_S) { // speech without a face is of somebody who is not here
      this.#sinceS = null;
      return (this.state = "idle");
    }
    this.#sinceS ??= timeS;
    if (decision?.person === null && timeS - this.#sinceS >= NOBODY_AFTER_S) this.state = "nobody";
    else if (this.state !== "nobody") {
      this.state = timeS - this.#voiceS < HEARD_S ? "listening" : "looking";
    }
    return this.state;
  }
}
