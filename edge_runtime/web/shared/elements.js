// The elements that both pages have, and writing to them.

import { percent } from "./language.js";

const QUIET_DB = -60; // where the level meter begins

export const element = (id) => document.getElementById(id);

/** Writes only what changes, so that screen readers do not say it again and again. */
export function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

/** Puts the box around a face; all of it in shares of the picture. */
export function placeBox(box, { left, top, width, height }) {
  for (const [side, share] of Object.entries({ left, top, width, height })) {
    box.style[side] = `${100 * share}%`;
  }
}

/** The level of sound; null: none. Returns what is shown, whole decibels of full scale. */
export function showLevel(levelDb) {
  const decibels = Math.round(Math.min(Math.max(levelDb ?? QUIET_DB, QUIET_DB), 0));
  setMeter(element("level"), decibels, 1 - decibels / QUIET_DB);
  return decibels;
}

/** A score, 0 to 1, on its meter and in words, with the threshold, null for none, as a mark.
 *  beside(share): the threshold's words. */
export function showScore(meter, score, threshold, beside) {
  say(element("confidence-number"), percent(score));
  setMeter(meter, Math.round(100 * score), score);
  say(element("threshold"), threshold === null ? "" : beside(percent(threshold)));
  element("least").hidden = threshold === null;
  if (threshold !== null) element("least").style.left = `${100 * threshold}%`;
}

/** A meter's bar and its value: share is 0 to 1. */
function setMeter(meter, value, share) {
  meter.setAttribute("aria-valuenow", value);
  meter.firstElementChild.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
}
