// What is away: the kiosk's server, its camera, its microphone.

import {closeCamera, openCamera, prepareCamera} from "./camera.js";
import {coded} from "./codes.js";
import {forgetTold, showMessage, showOutage} from "./live.js";
import {call, listen} from "./server.js";
import {element, say} from "./shared/elements.js";
import {text} from "./shared/language.js";

const SOURCES = ["camera", "microphone"];
const LOOK_MS = 3000; // between two looks at how camera and microphone are
const PASSING = ["starting", "ended", "closed"]; // on the way to another: files are played again

let connected = null; // not known yet
let hangs = false; // the server answers, and nobody looks
let status = null;
const trouble = {}; // by source, the word for what is the matter with it
let elsewhere = false; // on another machine, which is not told who is there

/** The kiosk's status; null where it does not tell. */
export async function readStatus() {
  try {
    status = await call("GET", "/api/status");
  } catch (error) {
    status = null;
    elsewhere = error.status === 401;
  }
  for (const source of SOURCES) {
    const {present, state} = status?.[source] ?? {};
    if (!PASSING.includes(state)) trouble[source] = present && state !== "ok" ? state : null;
  }
  return status;
}

/** Follows the kiosk for as long as the page is open. */
export function follow() {
  prepareCamera();
  listen({onMessage: showMessage, onOpen: () => setConnected(true),
          onLost: () => setConnected(false)});
  setInterval(look, LOOK_MS);
}

export function showCondition() {
  const outage = connected !== false ? hangs && text("hangs")
    : text(elsewhere ? "elsewhere" : "offline");
  const away = SOURCES.filter((source) => trouble[source]);
  const words = away.map((source) => `${text(source)} ${coded("source", trouble[source])}`);
  document.body.classList.toggle("no-picture", Boolean(outage) || away.includes("camera"));
  document.body.classList.toggle("no-microphone", status?.microphone.present === false);
  say(element("trouble"), outage || words.join(" · "));
  showOutage(outage || null);
}

function setConnected(now) {
  if (now === connected) return;
  connected = now;
  if (connected) openCamera(); else closeCamera();
  forgetTold();
  look();
}

async function look() {
  if (connected) {
    await readStatus();
    hangs = await call("GET", "/healthz").then(() => false, (error) => error.status === 503);
  }
  showCondition();
}
