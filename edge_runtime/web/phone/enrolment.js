// Somebody new, step by step: name and consent, faces from three angles, three sentences, a check.

import { checkAgreement, checkedName, toEnroll, twinOf } from "./samples.js";
import { element } from "./shared/elements.js";
import { text } from "./shared/language.js";
import parameters from "./shared/parameters.js";

const { ANGLES, PHONE_CLIPS, PHONE_FACES, RECORDED_S } = parameters.enrolment;
const TURN_S = 1.5; // to turn the head
const BETWEEN_S = 0.7; // two faces of one angle

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export class Cancelled extends Error {}

/** One person's. looks: next() -> what is seen next, as toEnroll gives it; record(seconds) ->
 *  {embedding, flaws}; hears() -> whether there is a microphone: without, a face alone will do.
 *  odds: what `visavox thresholds` fitted, or null. */
export class Enrolment {
  #gallery;
  #looks;
  #odds;
  #cancelled = false;

  constructor(gallery, looks, odds) {
    this.#gallery = gallery;
    this.#looks = looks;
    this.#odds = odds;
    element("cancel").onclick = () => this.cancel();
  }

  cancel() {
    this.#cancelled = true;
    element("go").click();
  }

  /** Throws Trouble where somebody cannot be enrolled, Cancelled where they do not want to. */
  async run(name, consent) {
    const people = await this.#gallery.people();
    const stored = checkedName(name, people);
    const samples = { face: await this.#faces(), voice: await this.#voices() };
    checkAgreement(samples, this.#odds);
    const twin = twinOf(samples, people.filter((person) => !person.foreign));
    if (twin) await this.#asked(text("enrol.twin", { name: twin }), text("enrol.nevertheless"));
    await this.#gallery.enroll(stored, consent, samples);
    return stored;
  }

  async #faces() {
    const faces = [];
    const perAngle = PHONE_FACES / ANGLES.length;
    for (const angle of ANGLES) {
      this.#show(1, text(`angle.${angle}`), faces.length / PHONE_FACES);
      await sleep(TURN_S);
      for (let taken = 0; taken < perAngle;) {
        const seen = await this.#looks.next();
        this.#stopIfCancelled();
        if (!seen?.embedding) continue;
        faces.push(seen.embedding);
        taken += 1;
        element("progress").value = faces.length / PHONE_FACES;
        await sleep(BETWEEN_S);
      }
    }
    return faces;
  }

  async #voices() {
    const clips = [];
    while (clips.length < PHONE_CLIPS && this.#looks.hears()) {
      this.#show(2, text("enrol.read"), clips.length / PHONE_CLIPS);
      element("sentence").textContent = text(`sentence.${clips.length + 1}`);
      element("sentence").hidden = false;
      await this.#clicked(text("enrol.record"));
      element("instruction").textContent = text("enrol.recording");
      const heard = toEnroll(await this.#looks.record(RECORDED_S, (share) => {
        element("progress").value = (clips.length + share) / PHONE_CLIPS;
      }));
      this.#stopIfCancelled();
      if (heard.embedding) clips.push(heard.embedding);
      element("step-hint").textContent = heard.flaws.map((flaw) => text(`flaw.${flaw}`)).join(" ");
    }
    return clips;
  }

  get #steps() {
    return this.#looks.hears() ? 3 : 2;
  }

  async #asked(question, answer) {
    this.#show(this.#steps, question, 1);
    await this.#clicked(answer);
  }

  #show(step, instruction, progress) {
    this.#stopIfCancelled();
    document.body.dataset.enrolment = step;
    element("step").textContent = text("enrol.step", { step, steps: this.#steps });
    element("instruction").textContent = instruction;
    element("sentence").hidden = true;
    element("progress").value = progress;
    element("step-hint").textContent = "";
  }

  async #clicked(label) {
    const go = element("go");
    Object.assign(go, { textContent: label, hidden: false });
    await new Promise((resolve) => go.addEventListener("click", resolve, { once: true }));
    go.hidden = true;
    this.#stopIfCancelled();
  }

  #stopIfCancelled() {
    if (this.#cancelled) throw new Cancelled();
  }
}
