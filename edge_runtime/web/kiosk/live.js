// The camera's picture with the face on it, the level meter, and who is there.

import {coded} from "./codes.js";
import {element, placeBox, say, showLevel, showScore} from "./shared/elements.js";
import {has, moment, text} from "./shared/language.js";

const LONG = 22; // characters of a name, above which it is written smaller
const NOTHING = {state: "idle", face: null, face_hint: null, voice_hint: null, level_db: null};

let told = NOTHING; // the last view
let decision = null; // the last one, for as long as it holds
let outage = null; // what to say while the kiosk does not tell who is there

const seen = () => (outage === null ? told : NOTHING);

export function showMessage(message) {
  if (message.type === "decision") decision = message;
  if (message.type === "view") {
    told = message;
    if (["idle", "enrolling"].includes(told.state)) decision = null;
  }
  showLive();
}

/** words: why nothing is known of now, or null. */
export function showOutage(words) {
  outage = words;
  showLive();
}

/** What was told before the connection was lost says nothing about who is there now. */
export function forgetTold() {
  [told, decision] = [NOTHING, null];
}

/** Who is named now, or null. */
export function named() {
  return seen().state === "known" ? decision?.person ?? null : null;
}

/** Shows all of it again, as after a change of the language. */
export function showLive() {
  const view = seen();
  document.body.dataset.state = view.state;
  showFace();
  showSound();
  say(element("face-hint"), coded("hint", view.face_hint));
  say(element("voice-hint"), coded("hint", view.voice_hint));
  showDecision();
}

function showFace() {
  const box = element("face-box");
  const {face} = seen();
  const {naturalWidth: width, naturalHeight: height} = element("camera");
  if (width) element("camera").parentElement.style.setProperty("--ratio", width / height);
  box.hidden = face === null || !width;
  if (box.hidden) return;
  const {left, top, right, bottom} = face;
  placeBox(box, {left, top, width: right - left, height: bottom - top});
}

function showSound() {
  const decibels = showLevel(seen().level_db);
  element("level").setAttribute("aria-valuetext", text("level.value", {decibels}));
}

function showDecision() {
  const {state} = seen();
  const judged = ["known", "nobody"].includes(state) ? decision : null;
  const person = named();
  const refused = judged && has(`nobody.${judged.reason}`) ? `nobody.${judged.reason}` : null;
  const headline = outage === null ? person ?? text(refused ?? `headline.${state}`)
    : text("outage");
  say(element("state"), outage === null ? text(`state.${state}`) : "");
  say(element("headline"), headline);
  element("headline").classList.toggle("long", headline.length > LONG);
  say(element("explanation"),
      outage ?? (judged ? coded("reason", judged.reason) : text(`what.${state}`)));
  element("figures").hidden = person === null;
  say(element("cost"), judged ? text("decision.cost", {
    time: moment(judged.time, {timeStyle: "medium"}),
    ms: Math.round(sum(Object.values(judged.ms)))}) : "");
  if (person === null) return;
  const score = Math.min(Math.max(judged.confidence ?? 0, 0), 1);
  showScore(element("confidence"), score, judged.threshold ?? null,
            (share) => text("decision.threshold", {share}));
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
