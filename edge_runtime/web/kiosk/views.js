// Which of the views is shown: who is there, the enrolment, or the people. The last two need the
// token, which is forgotten on the way back.

import {whileBusy} from "./buttons.js";
import {refusal} from "./codes.js";
import {endEnrolment, startEnrolment} from "./enrolment.js";
import {showPeople} from "./people.js";
import {call, hasToken, setToken} from "./server.js";
import {element, say} from "./shared/elements.js";
import {text} from "./shared/language.js";

const IDLE_MS = 180_000; // after which a kiosk left open by the one who administers it closes
const WARNING_MS = 30_000; // before that
const VIEWS = ["live", "enrol", "people"];

let timers = [];

export function currentView() {
  return VIEWS.find((name) => location.hash === `#${name}`) ?? "live";
}

export function prepareViews() {
  element("unlock").querySelector("form").onsubmit = unlock;
  addEventListener("pagehide", endEnrolment);
  addEventListener("hashchange", showView);
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, waitForIdle);
  showView();
}

function showView() {
  const asked = currentView();
  if (asked !== "enrol") endEnrolment(); // which needs the token
  if (asked === "live") setToken(null);
  element("token").value = "";
  const shown = asked !== "live" && !hasToken() ? "unlock" : asked;
  document.body.dataset.view = shown;
  for (const panel of document.querySelectorAll(".panel")) panel.hidden = panel.id !== shown;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${asked}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown === "enrol") startEnrolment();
  if (shown === "people") showPeople();
  if (shown === "unlock") element("token").focus();
  if (shown === "people") element("people").querySelector("h1").focus();
  waitForIdle();
}

async function unlock(event) {
  event.preventDefault();
  const message = element("unlock").querySelector(".message");
  await whileBusy(event.target.querySelector("button"), async () => {
    setToken(element("token").value);
    try {
      await call("GET", "/api/people");
      say(message, "");
    } catch (error) {
      setToken(null);
      say(message, refusal(error));
    }
  });
  if (hasToken()) showView(); else element("token").select();
}

function waitForIdle() {
  timers.forEach(clearTimeout);
  say(element("closing"), "");
  if (currentView() === "live") return;
  const seconds = WARNING_MS / 1000;
  timers = [
    setTimeout(() => say(element("closing"), text("closing", {seconds})), IDLE_MS - WARNING_MS),
    setTimeout(() => { location.hash = "#live"; }, IDLE_MS)];
}
