// The camera's picture with the face on it, the level meter, and who is there.

import {coded, percent, text} from "./language.js";
import {element, say, setMeter} from "./page.js";
import {at} from "./server.js";

const QUIET_DB = -60;
const LONG = 22; // characters of a name, above which it is written smaller

let view = {state: "idle", face: null, face_hint: null, voice_hint: null, level_db: null};
let decision = null; // the last one, for as long as it holds

/** Begins the live picture anew, as is needed after the server was away. */
export function openCamera() {
  element("camera").src = at(`/camera.mjpg?${Date.now()}`);
}

export function closeCamera() {
  element("camera").removeAttribute("src");
}

export function showMessage(message) {
  if (message.type === "decision") decision = message;
  if (message.type === "view") {
    view = message;
    if (["idle", "enrolling"].includes(view.state)) decision = null;
  }
  showLive();
}

/** Shows all of it again, as after a change of the language. */
export function showLive() {
  document.body.dataset.state = view.state;
  showFace();
  showLevel();
  say(element("face-hint"), coded("hint", view.face_hint));
  say(element("voice-hint"), coded("hint", view.voice_hint));
  showDecision();
}

function showFace() {
  const box = element("face-box");
  box.hidden = view.face === null;
  if (view.face === null) return;
  const {left, top, right, bottom} = view.face;
  box.style.left = `${100 * left}%`;
  box.style.top = `${100 * top}%`;
  box.style.width = `${100 * (right - left)}%`;
  box.style.height = `${100 * (bottom - top)}%`;
}

function showLevel() {
  const decibels = Math.round(Math.min(Math.max(view.level_db ?? QUIET_DB, QUIET_DB), 0));
  setMeter(element("level"), decibels, 1 - decibels / QUIET_DB);
  element("level").setAttribute("aria-valuetext", text("level.value", {decibels}));
}

function showDecision() {
  const judged = ["known", "nobody"].includes(view.state) ? decision : null;
  const named = view.state === "known" && judged !== null && judged.person !== null;
  say(element("state"), text(`state.${view.state}`));
  const headline = named ? judged.person : text(`headline.${view.state}`);
  say(element("headline"), headline);
  element("headline").classList.toggle("long", headline.length > LONG);
  say(element("explanation"),
      judged ? coded("reason", judged.reason) : text(`what.${view.state}`));
  element("figures").hidden = !named;
  if (!named) return;
  const share = Math.min(Math.max(judged.confidence ?? 0, 0), 1);
  say(element("confidence-number"), percent(share));
  setMeter(element("confidence"), Math.round(100 * share), share);
  const all = Object.values(judged.ms).reduce((sum, ms) => sum + ms, 0);
  say(element("cost"), text("decision.cost", {ms: Math.round(all)}));
}
