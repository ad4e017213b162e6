// What the page shows of a look: the box, hints, the level, and the decision.

import { percent, text } from "./language.js";
import { largest } from "./scoring.js";
import { levelDb } from "./sound.js";

const LONG = 12; // letters of a headline that is set smaller
const QUIET_DB = -60;
const byId = (id) => document.getElementById(id);

/** The camera's part: the box around the largest face, and what to do better. */
export function showSeen(seen, voiceFlaws) {
  const box = byId("box");
  box.hidden = !seen?.boxes.length;
  const flaw = seen?.flaws[0] ?? voiceFlaws[0];
  write("hint", seen?.refused ? text(`enrol.${seen.refused}`) : flaw ? text(`flaw.${flaw}`) : "");
  byId("stage").classList.toggle("good", Boolean(seen?.embedding));
  if (!seen) return;
  const { width, height } = seen.picture;
  byId("stage").querySelector(".picture").style.setProperty("--ratio", width / height);
  if (box.hidden) return;
  const [face] = seen.boxes;
  for (const [side, value, whole] of [["left", face.left, width], ["top", face.top, height],
    ["width", face.width, width], ["height", face.height, height]]) {
    box.style[side] = `${(100 * value) / whole}%`;
    box.dataset[side] = value;
  }
}

/** The loudness of the last moments. */
export function showLevel(sound) {
  if (!sound.length) return;
  const decibels = Math.round(Math.min(Math.max(levelDb(sound), QUIET_DB), 0));
  fillBar(byId("level"), decibels, 1 - decibels / QUIET_DB);
}

/** What camera and microphone lack. */
export function showDevices({ trouble, microphone }) {
  write("away", trouble ? text(`away.${trouble}`) : "");
  byId("away").classList.toggle("banner", Boolean(trouble?.startsWith("camera")));
  byId("level").hidden = !microphone;
}

/** The decision: who is named, or who would be, and why. presence: see presence.js. */
export function showDecision(presence, { named, decision }, hears) {
  const likely = decision?.reason === "no_thresholds";
  const state = likely && presence === "nobody" ? "looking" : presence; // nobody is refused
  document.body.dataset.state = state;
  const best = decision?.people.length ? largest(decision.scores.fused) : null;
  const name = named ?? (likely && best !== null && state !== "idle" ? decision.people[best]
    : null);
  write("state", text(likely && name ? "state.likely" : `state.${state}`));
  const headline = name ?? text(`headline.${state}`);
  write("name", headline);
  byId("name").classList.toggle("long", headline.length > LONG);
  // Who is named stays so for a while after the last look that said so.
  const agrees = decision && name !== null && (likely || decision.person === name);
  write("reason", agrees || (decision && state === "nobody") ? text(`reason.${decision.reason}`)
    : what(state, hears));
  const index = agrees ? decision.people.indexOf(name) : -1;
  byId("confidence").hidden = index < 0;
  if (index < 0) return decision ? named : null;
  const share = Math.max(decision.scores.fused[index], 0);
  byId("confidence-label").textContent = text(likely ? "live.likeness" : "live.confidence");
  byId("confidence-number").textContent = percent(share);
  fillBar(byId("confidence-bar"), Math.round(100 * share), share);
  showThreshold(decision.threshold);
  return name;
}

/** Beside the score, and as a mark on its bar. */
function showThreshold(threshold) {
  write("threshold", threshold === null ? ""
    : text("live.threshold", { share: percent(threshold) }));
  byId("least").hidden = threshold === null;
  if (threshold !== null) byId("least").style.left = `${100 * threshold}%`;
}

/** What to do, in a state in which nothing is said of anybody. */
function what(state, hears) {
  return text(hears || state === "known" ? `what.${state}` : `what.${state}.face`);
}

/** Only what changed, or a screen reader would read it again. */
function write(id, content) {
  if (byId(id).textContent !== content) byId(id).textContent = content;
}

function fillBar(bar, value, share) {
  bar.setAttribute("aria-valuenow", value);
  bar.firstElementChild.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
}
