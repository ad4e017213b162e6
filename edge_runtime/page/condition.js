// What is away: the kiosk's server, its camera, its microphone.

import {coded, text} from "./language.js";
import {closeCamera, openCamera, showMessage} from "./live.js";
import {element, say} from "./page.js";
import {call, listen} from "./server.js";

const LOOK_MS = 3000; // between two looks at how camera and microphone are
const WELL = ["ok", "starting", "ended"]; // a file that has ended is played again

let connected = null; // not known yet
let status = null;
let elsewhere = false; // on another machine, which is not told who is there

/** The kiosk's status; null where it does not tell. */
export async function readStatus() {
  try {
    status = await call("GET", "/api/status");
  } catch (error) {
    status = null;
    elsewhere = error.status === 401;
  }
  return status;
}

/** Follows the kiosk for as long as the page is open. */
export function follow() {
  listen({onMessage: showMessage, onOpen: () => setConnected(true),
          onLost: () => setConnected(false)});
  setInterval(look, LOOK_MS);
}

export function showCondition() {
  const away = ["camera", "microphone"].filter(
    (source) => status?.[source].present && !WELL.includes(status[source].state));
  const words = connected === false ? [text(elsewhere ? "elsewhere" : "offline")]
    : away.map((source) => `${text(source)}: ${coded("source", status[source].state)}`);
  document.body.classList.toggle("no-picture", connected === false || away.includes("camera"));
  document.body.classList.toggle("no-microphone", status?.microphone.present === false);
  say(element("trouble"), words.join(" · "));
}

function setConnected(now) {
  if (now === connected) return;
  connected = now;
  if (connected) openCamera(); else closeCamera();
  look();
}

async function look() {
  if (connected) await readStatus();
  showCondition();
}
