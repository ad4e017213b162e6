// The texts, from languages/*.json: in the language that was chosen before, or the browser's.

const CHOSEN = "visavox-phone-language";
const AVAILABLE = ["en", "de"];
let texts = {};
let language = "en";

export async function chooseLanguage(wanted = localStorage.getItem(CHOSEN)) {
  const asked = [wanted, ...navigator.languages.map((name) => name.split("-")[0]), "en"];
  language = asked.find((name) => AVAILABLE.includes(name));
  texts = await (await fetch(`languages/${language}.json`)).json();
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}

/** Fills a select with the languages, each by its own name; changed() is called afterwards. */
export function offerLanguages(select, changed) {
  for (const code of AVAILABLE) {
    const name = new Intl.DisplayNames([code], { type: "language" }).of(code);
    select.append(new Option(name, code, false, code === language));
  }
  select.addEventListener("change", async () => {
    localStorage.setItem(CHOSEN, select.value);
    await chooseLanguage(select.value);
    changed();
  });
}

/** The text of a key, with {placeholders} filled in. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A share as a percentage, never 100 % for what is only nearly sure; scores above 99 % are told
 *  apart from thresholds there. */
export function percent(share) {
  const digits = share > 0.99 && share < 1 ? 2 : 0;
  const most = share < 1 ? 1 - 10 ** (-2 - digits) : 1;
  return new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: digits })
    .format(Math.min(share, most));
}

/** A date with the time of day. */
export function moment(iso) {
  const region = navigator.languages.find((name) => name.split("-")[0] === language);
  return new Intl.DateTimeFormat(region ?? language, { dateStyle: "medium", timeStyle: "short" })
    .format(new Date(iso));
}

export function date(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(new Date(iso));
}

/** What to say about an error. */
export function sorry(error) {
  return error.word ? text(`trouble.${error.word}`, error.values)
    : text("trouble.other", { message: error.message });
}
