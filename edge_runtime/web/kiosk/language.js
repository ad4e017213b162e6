// The texts, from languages/*.json; the language is the browser's, or the one chosen before.

const CHOSEN = "visavox-language";
let texts = {};
export let language = "en";

/** Loads the dictionary of `wanted`, else of the first of the browser's languages there is. */
export async function chooseLanguage(available, wanted = localStorage.getItem(CHOSEN)) {
  const asked = [wanted, ...navigator.languages.map((name) => name.split("-")[0]), "en"];
  language = asked.find((name) => available.includes(name)) ?? available[0];
  const response = await fetch(new URL(`languages/${language}.json`, import.meta.url));
  texts = await response.json();
  document.documentElement.lang = language;
  fill();
}

export function rememberLanguage(name) {
  localStorage.setItem(CHOSEN, name);
}

/** The text of `key`, with {placeholders} filled in. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const has = (key) => key in texts;

/** The text of a code of the runtime, such as `reason.disagreement`; "" for no code. */
export function coded(kind, code) {
  if (!code) return "";
  return texts[`${kind}.${code}`] ?? code.replaceAll("_", " ");
}

/** A share as a percentage, never 100 % for what is only nearly sure; scores above 99 % are told
    apart from thresholds there. */
export function percent(share) {
  const digits = share > 0.99 && share < 1 ? 2 : 0;
  const most = share < 1 ? 1 - 10 ** (-2 - digits) : 1;
  return new Intl.NumberFormat(language, {style: "percent", minimumFractionDigits: digits})
    .format(Math.min(share, most));
}

/** The time of day of a moment, ISO 8601. */
export function clockTime(moment) {
  return new Intl.DateTimeFormat(region(), {timeStyle: "medium"}).format(new Date(moment));
}

/** As the language is written where the browser is at home. */
const region = () => navigator.languages.find((name) => name.split("-")[0] === language)
  ?? language;

export function languageName(code) {
  return new Intl.DisplayNames([code], {type: "language"}).of(code);
}

/** What to say about a Refusal of server.js: by its reason or status, else what the kiosk said. */
export function refusal(error) {
  return texts[`refused.${error.reason}`] ?? texts[`refused.${error.status}`] ?? error.message;
}

function fill() {
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}
