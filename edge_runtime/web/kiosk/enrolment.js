// The guided enrolment: who, consent, faces from three angles, three sentences, a check, done.

import {whileBusy} from "./buttons.js";
import {coded, refusal} from "./codes.js";
import {named} from "./live.js";
import {call} from "./server.js";
import {element, say} from "./shared/elements.js";
import {text} from "./shared/language.js";
import parameters from "./shared/parameters.js";

const STEPS = ["person", "faces", "voices", "check", "done"];
const {ANGLES, KIOSK_CLIPS} = parameters.enrolment;
const SENTENCES = Array.from({length: KIOSK_CLIPS}, (_, i) => i + 1);
const LOOKED_MS = 8000; // at somebody enrolled, after which they should have been named
const LOOK_MS = 200;

// faces, voices: the angles and sentences that were kept. duplicate: whether they seem to be enrolled
// under another name. recognised: whether the kiosk has named them since, null as long as that is
// open.
let enrolment = null;

class LeftError extends Error {}

const part = (selector) => element("enrol").querySelector(selector);
const missing = (all, kept) => all.find((one) => !kept.includes(one));

export function startEnrolment() {
  enrolment = {step: "person", name: "", faces: [], voices: [], duplicate: false, recognised: null};
  part("form").reset();
  part("form").onsubmit = begin;
  element("take").onclick = () => attempt(element("take"), takeFace);
  element("record").onclick = () => attempt(element("record"), recordVoice);
  element("finish").onclick = () => attempt(element("finish"), finish);
  element("cancel").onclick = () => { location.hash = "#live"; };
  goTo("person");
}

/** Leaves the enrolment; what was kept of somebody not yet enrolled is thrown away. */
export function endEnrolment() {
  if (["faces", "voices", "check"].includes(enrolment?.step)) {
    call("DELETE", "/api/enrolment").catch((error) => { // or the kiosk gives it up by itself, later
      if (error.reason === "too_late") say(element("closing"), refusal(error));
    });
  }
  enrolment = null;
  delete document.body.dataset.enrolment;
}

/** Writes what depends on the language and on how far the enrolment is. */
export function showEnrolment() {
  if (enrolment === null) return;
  const {step, name, faces, voices, duplicate, recognised} = enrolment;
  for (const section of element("enrol").querySelectorAll("[data-step]")) {
    section.hidden = section.dataset.step !== step;
  }
  say(element("progress"), text("progress", {step: STEPS.indexOf(step) + 1, steps: STEPS.length}));
  say(element("angle-text"), text(`angle.${missing(ANGLES, faces) ?? ANGLES.at(-1)}`));
  mark(element("angles"), ANGLES.map((angle) => text(`angle.${angle}.short`)), faces.length);
  say(element("sentence"), text(`sentence.${missing(SENTENCES, voices) ?? SENTENCES.at(-1)}`));
  mark(element("sentences"), SENTENCES, voices.length);
  say(element("check-name"), name);
  say(element("check-faces"), faces.length);
  say(element("check-voices"), voices.length);
  say(element("finish"), text(duplicate ? "check.two" : "check.finish"));
  say(element("done-title"), text("done.title", {name}));
  say(element("done-text"), text(`done.${recognised}`));
  element("cancel").hidden = step === "done";
}

function goTo(next) {
  enrolment.step = document.body.dataset.enrolment = next;
  say(part(".message"), "");
  showEnrolment();
  part(`[data-step="${next}"] h1`).focus();
}

async function begin(event) {
  event.preventDefault();
  await attempt(part("form button"), async () => {
    const {name} = await ask("", {name: element("name").value, consent: text("consent.text")});
    enrolment.name = name;
    goTo("faces");
  });
}

async function takeFace() {
  const angle = missing(ANGLES, enrolment.faces);
  const {kept, reason} = await ask("/face", {angle});
  if (!kept) return say(part(".message"), coded("reason", reason));
  enrolment.faces.push(angle);
  return missing(ANGLES, enrolment.faces) ? showEnrolment() : goTo("voices");
}

async function recordVoice() {
  const sentence = missing(SENTENCES, enrolment.voices);
  say(element("record"), text("voices.recording"));
  const {kept, reason} = await ask("/voice", {sentence}).finally(
    () => say(element("record"), text("voices.record")));
  if (!kept) return say(part(".message"), coded("reason", reason));
  enrolment.voices.push(sentence);
  return missing(SENTENCES, enrolment.voices) ? showEnrolment() : goTo("check");
}

async function finish() {
  try {
    const {recognised} = await ask("/finish", {allow_duplicate: enrolment.duplicate});
    goTo("done");
    awaitName(enrolment, recognised !== null);
  } catch (error) {
    if (error.reason === "duplicate") { // they may say that they are two people
      enrolment.duplicate = true;
      showEnrolment();
    }
    throw error;
  }
}

/** Says that they are recognised once the first view would name them, and no sooner. seen: whether
    a good face was there to be named. */
function awaitName(enrolled, seen, since = Date.now()) {
  if (enrolment !== enrolled) return;
  if (named() === enrolled.name) enrolled.recognised = true;
  else if (seen && Date.now() - since > LOOKED_MS) enrolled.recognised = false;
  showEnrolment();
  if (enrolled.recognised !== true) setTimeout(awaitName, LOOK_MS, enrolled, seen, since);
}

/** Runs a step of the enrolment; what the kiosk says against it is shown. */
async function attempt(button, work) {
  say(part(".message"), "");
  await whileBusy(button, work).catch((error) => {
    if (!(error instanceof LeftError)) say(part(".message"), refusal(error));
  });
}

/** Asks the kiosk; LeftError where the enrolment was left before it answered. */
async function ask(path, content) {
  const asking = enrolment;
  try {
    return await call("POST", `/api/enrolment${path}`, content);
  } finally {
    if (enrolment !== asking) throw new LeftError();
  }
}

/** A mark for each thing to do: done, now, or to come. */
function mark(list, labels, done) {
  list.replaceChildren(...labels.map((label, number) => {
    const item = document.createElement("li");
    item.textContent = label;
    item.className = number < done ? "done" : number === done ? "now" : "";
    if (number === done) item.setAttribute("aria-current", "step");
    return item;
  }));
}
