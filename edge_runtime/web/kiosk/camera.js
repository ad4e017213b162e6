// The live picture, and what stands in its place where there is none.

import {refusal} from "./codes.js";
import {at, whyRefused} from "./server.js";
import {element, say} from "./shared/elements.js";
import {text} from "./shared/language.js";

const AGAIN_MS = 5000; // before the picture is asked for again

let again;
let missing = false;
let refused = null; // why there is none, where the kiosk said why

export function prepareCamera() {
  element("camera").onerror = tryAgain;
  element("camera").onload = () => {
    missing = false;
    showMissing();
  };
}

/** Begins the live picture anew, as is needed after the server was away. */
export function openCamera() {
  clearTimeout(again);
  element("camera").src = at(`/camera.mjpg?${Date.now()}`);
}

export function closeCamera() {
  clearTimeout(again);
  missing = false;
  element("camera").removeAttribute("src");
  showMissing();
}

/** Writes why there is no picture, in the language of now. */
export function showMissing() {
  say(element("no-picture"), !missing ? ""
    : refused?.reason ? refusal(refused) : text("picture.none"));
}

/** Somebody may have made room. */
async function tryAgain() {
  refused = await whyRefused("/camera.mjpg");
  if (!element("camera").hasAttribute("src")) return; // closed meanwhile
  missing = true;
  showMissing();
  again = setTimeout(openCamera, AGAIN_MS);
}
