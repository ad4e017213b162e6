// Ties the parts together: language, theme, views, and what comes from the kiosk.

import {showMissing} from "./camera.js";
import {follow, readStatus, showCondition} from "./condition.js";
import {showEnrolment} from "./enrolment.js";
import {showPeople} from "./people.js";
import {hasToken} from "./server.js";
import {element} from "./shared/elements.js";
import {offerLanguages} from "./shared/language.js";
import {currentView, prepareViews} from "./views.js";

const LANGUAGE = "visavox-language"; // in localStorage
const THEME = "visavox-theme";

async function start() {
  const status = await readStatus();
  await offerLanguages(element("language"), status?.languages ?? ["en", "de"], LANGUAGE,
                       showLanguage);
  element("theme").onclick = changeTheme;
  if (status?.enrolls === false) {
    document.querySelectorAll("nav [href='#enrol'], nav [href='#people']")
      .forEach((link) => link.remove());
  }
  showCondition();
  prepareViews();
  follow();
}

/** Writes again what no dictionary holds whole. */
function showLanguage() {
  showMissing();
  showCondition();
  if (hasToken() && currentView() === "enrol") showEnrolment();
  if (hasToken() && currentView() === "people") showPeople();
}

function changeTheme() {
  const root = document.documentElement;
  const before = root.dataset.theme
    ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = before === "dark" ? "light" : "dark";
  localStorage.setItem(THEME, root.dataset.theme);
}

const theme = localStorage.getItem(THEME);
if (theme) document.documentElement.dataset.theme = theme;
start();
