// The texts, from languages/*.json of the page: in the language that was chosen before, or the
// browser's.

let texts = {};
export let language = "en";

/** Loads the dictionary, and fills a select with the languages, each by its own name. key: under
 *  which a choice is remembered. changed(): called after one. */
export async function offerLanguages(select, available, key, changed) {
  await load(available, localStorage.getItem(key));
  select.replaceChildren(...available.map((code) => {
    const name = new Intl.DisplayNames([code], { type: "language" }).of(code);
    return new Option(name, code, false, code === language);
  }));
  select.onchange = async () => {
    localStorage.setItem(key, select.value);
    await load(available, select.value);
    changed();
  };
}

/** The dictionary of `wanted`, else of the first of the browser's languages there is. */
async function load(available, wanted) {
  const asked = [wanted, ...navigator.languages.map((name) => name.split("-")[0]), "en"];
  language = asked.find((name) => available.includes(name)) ?? available[0];
  const response = await fetch(new URL(`../languages/${language}.json`, import.meta.url));
  texts = await response.json();
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}

/** The text of a key, with {placeholders} filled in. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const has = (key) => key in texts;

/** A share as a percentage, never 100 % for what is only nearly sure; scores above 99 % are told
 *  apart from thresholds there. */
export function percent(share) {
  const digits = share > 0.99 && share < 1 ? 2 : 0;
  const most = share < 1 ? 1 - 10 ** (-2 - digits) : 1;
  return new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: digits })
    .format(Math.min(share, most));
}

/** A moment, ISO 8601, by options of Intl.DateTimeFormat: as the language is written where the
 *  browser is at home. */
export function moment(iso, options) {
  const region = navigator.languages.find((name) => name.split("-")[0] === language);
  return new Intl.DateTimeFormat(region ?? language, options).format(new Date(iso));
}
