// Ties the parts together: language, theme, views, and what comes from the kiosk.

import {showMissing} from "./camera.js";
import {follow, readStatus, showCondition} from "./condition.js";
import {showEnrolment} from "./enrolment.js";
import {chooseLanguage, language, languageName, rememberLanguage} from "./language.js";
import {element} from "./page.js";
import {showPeople} from "./people.js";
import {hasToken} from "./server.js";
import {currentView, prepareViews} from "./views.js";

const THEME = "visavox-theme";

async function start() {
  const status = await readStatus();
  const available = status?.languages ?? ["en", "de"];
  await chooseLanguage(available);
  element("language").replaceChildren(
    ...available.map((code) => new Option(languageName(code), code)));
  element("language").value = language;
  element("language").onchange = () => changeLanguage(available);
  element("theme").onclick = changeTheme;
  if (status?.enrolls === false) {
    document.querySelectorAll("nav [href='#enrol'], nav [href='#people']")
      .forEach((link) => link.remove());
  }
  showCondition();
  prepareViews();
  follow();
}

async function changeLanguage(available) {
  rememberLanguage(element("language").value);
  await chooseLanguage(available);
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
