// What the page shows of a look: the box, hints, the level, and the decision.

import { largest } from "./scoring.js";
import { element, placeBox, say, showLevel, showScore } from "./shared/elements.js";
import { text } from "./shared/language.js";
import { levelDb } from "./sound.js";

const LONG = 12; // letters of a headline that is set smaller

/** The camera's part: the box around the largest face, and what to do better. */
export function showSeen(seen, voiceFlaws) {
  const box = element("box");
  box.hidden = !seen?.boxes.length;
  const flaw = seen?.flaws[0] ?? voiceFlaws[0];
  say(element("hint"), seen?.refused ? text(`enrol.${seen.refused}`)
    : flaw ? text(`flaw.${flaw}`) : "");
  element("stage").classList.toggle("good", Boolean(seen?.embedding));
  if (!seen) return;
  const { width, height } = seen.picture;
  element("stage").querySelector(".picture").style.setProperty("--ratio", width / height);
  if (box.hidden) return;
  const [face] = seen.boxes;
  placeBox(box, { left: face.left / width, top: face.top / height, width: face.width / width,
    height: face.height / height });
  for (const side of ["left", "top", "width", "height"]) box.dataset[side] = face[side];
}

/** The loudness of the last moments. */
export function showSound(sound) {
  if (sound.length) showLevel(levelDb(sound));
}

/** What camera and microphone lack. */
export function showDevices({ trouble, microphone }) {
  say(element("away"), trouble ? text(`away.${trouble}`) : "");
  element("away").classList.toggle("banner", Boolean(trouble?.startsWith("camera")));
  element("level").hidden = !microphone;
}

/** The decision: who is named, or who would be, and why. presence: see presence.js. */
export function showDecision(presence, { named, decision }, hears) {
  const likely = decision?.reason === "no_thresholds";
  const state = likely && presence === "nobody" ? "looking" : presence; // nobody is refused
  document.body.dataset.state = state;
  const best = decision?.people.length ? largest(decision.scores.fused) : null;
  const name = named ?? (likely && best !== null && state !== "idle" ? decision.people[best]
    : null);
  say(element("state"), text(likely && name ? "state.likely" : `state.${state}`));
  const headline = name ?? text(`headline.${state}`);
  say(element("name"), headline);
  element("name").classList.toggle("long", headline.length > LONG);
  // Who is named stays so for a while after the last look that said so.
  const agrees = decision && name !== null && (likely || decision.person === name);
  say(element("reason"), agrees || (decision && state === "nobody")
    ? text(`reason.${decision.reason}`) : what(state, hears));
  const index = agrees ? decision.people.indexOf(name) : -1;
  element("confidence").hidden = index < 0;
  if (index < 0) return decision ? named : null;
  const score = Math.max(decision.scores.fused[index], 0);
  element("confidence-label").textContent = text(likely ? "live.likeness" : "live.confidence");
  showScore(element("confidence-bar"), score, decision.threshold,
    (share) => text("live.threshold", { share }));
  return name;
}

/** What to do, in a state in which nothing is said of anybody. */
function what(state, hears) {
  return text(hears || state === "known" ? `what.${state}` : `what.${state}.face`);
}
