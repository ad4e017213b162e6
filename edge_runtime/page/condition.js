// What is away: the kiosk's server, its camera, its microphone.

import {coded, refusal, text} from "./language.js";
import {closeCamera, openCamera, showMessage} from "./live.js";
import {element, say} from "./page.js";
import {call, listen, whyRefused} from "./server.js";

const LOOK_MS = 3000; // between two looks at how camera and microphone are
const WELL = ["ok", "starting", "ended"]; // a file that has ended is played again

let connected = null; // not known yet
let status = null;
let pictureLost = false;
let noPicture = null; // why the camera's picture is refused
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
  element("camera").onload = () => { pictureLost = false; noPicture = null; };
  element("camera").onerror = async () => {
    pictureLost = true;
    noPicture = await whyRefused("/camera.mjpg");
    showCondition();
  };
  setInterval(look, LOOK_MS);
}

export function showCondition() {
  const away = ["camera", "microphone"].filter(
    (source) => status?.[source].present && !WELL.includes(status[source].state));
  const words = connected === false ? [text(elsewhere ? "elsewhere" : "offline")]
    : away.map((source) => `${text(source)}: ${coded("source", status[source].state)}`);
  if (connected && noPicture) words.push(noPicture.reason ? refusal(noPicture) : noPicture.message);
  document.body.classList.toggle("no-picture", connected === false || away.includes("camera")
    || noPicture !== null);
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
  if (connected && pictureLost) openCamera(); // somebody may have made room
  showCondition();
}
