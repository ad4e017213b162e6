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

/** The text of a code of the runtime, such as `reason.disagreement`; "" for no code. */
export function coded(kind, code) {
  if (!code) return "";
  return texts[`${kind}.${code}`] ?? code.replaceAll("_", " ");
}

export function percent(share) {
  // Never 100 % for what is only nearly sure.
  const whole = share < 1 ? Math.min(Math.round(100 * share), 99) : 100;
  return new Intl.NumberFormat(language, {style: "percent"}).format(whole / 100);
}

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
