// The guided walk: who, consent, faces from three angles, three sentences, a check, done.

import {coded, refusal, text} from "./language.js";
import {element, say, whileBusy} from "./page.js";
import {call} from "./server.js";

const STEPS = ["person", "faces", "voices", "check", "done"];
const ANGLES = ["front", "left", "right"];
const SENTENCES = [1, 2, 3];

let step = null;
let name = "";
let faces = []; // the angles that were kept
let voices = []; // the sentences
let found = null; // whether the kiosk recognises who was enrolled; null: nobody was there to see
let duplicate = false; // whether they seem to be enrolled under another name

const part = (selector) => element("enrol").querySelector(selector);
const missing = (all, kept) => all.find((one) => !kept.includes(one));

export function startEnrolment() {
  [name, faces, voices, found, duplicate] = ["", [], [], null, false];
  part("form").reset();
  part("form").onsubmit = begin;
  element("take").onclick = () => attempt(element("take"), takeFace);
  element("record").onclick = () => attempt(element("record"), recordVoice);
  element("finish").onclick = () => attempt(element("finish"), finish);
  element("cancel").onclick = () => { location.hash = "#live"; };
  goTo("person");
}

/** Leaves the walk; what was kept of somebody not yet enrolled is thrown away. */
export function endEnrolment() {
  if (["faces", "voices", "check"].includes(step)) {
    call("DELETE", "/api/enrolment").catch(() => {}); // or the kiosk gives it up by itself, later
  }
  step = null;
  delete document.body.dataset.walk;
}

/** Writes what depends on the language and on how far the walk is. */
export function showEnrolment() {
  if (step === null) return;
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
  say(element("done-text"), text(`done.${found}`));
  element("cancel").hidden = step === "done";
}

function goTo(next) {
  step = document.body.dataset.walk = next;
  say(part(".message"), "");
  showEnrolment();
  part(`[data-step="${step}"] h1`).focus();
}

async function begin(event) {
  event.preventDefault();
  await attempt(part("form button"), async () => {
    name = element("name").value.trim();
    await call("POST", "/api/enrolment", {name, consent: text("consent.text")});
    goTo("faces");
  });
}

async function takeFace() {
  const angle = missing(ANGLES, faces);
  const {kept, reason} = await call("POST", "/api/enrolment/face", {angle});
  if (!kept) return say(part(".message"), coded("reason", reason));
  faces.push(angle);
  return missing(ANGLES, faces) ? showEnrolment() : goTo("voices");
}

async function recordVoice() {
  const sentence = missing(SENTENCES, voices);
  say(element("record"), text("voices.recording"));
  const {kept, reason} = await call("POST", "/api/enrolment/voice", {sentence})
    .finally(() => say(element("record"), text("voices.record")));
  if (!kept) return say(part(".message"), coded("reason", reason));
  voices.push(sentence);
  return missing(SENTENCES, voices) ? showEnrolment() : goTo("check");
}

async function finish() {
  try {
    const answer = await call("POST", "/api/enrolment/finish", {allow_duplicate: duplicate});
    found = answer.recognised;
    goTo("done");
  } catch (error) {
    duplicate = error.reason === "duplicate"; // and they may say that they are two people
    showEnrolment();
    throw error;
  }
}

/** Runs a step of the walk; what the kiosk says against it is shown. */
async function attempt(button, work) {
  say(part(".message"), "");
  await whileBusy(button, work).catch((error) => say(part(".message"), refusal(error)));
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
