// Whether somebody can be enrolled by this name, from these samples: files.py, enrolment/rules.py
// and gallery/samples.py, where the limits are explained.

import parameters from "./shared/parameters.js";
import { cosine, meanTemplate } from "./similarity.js";
import { expect } from "./trouble.js";

const { MAX_NAME_CHARACTERS, RESERVED, INVISIBLE, BLANK, JOINERS, EMOJI_STYLE } = parameters.names;
const {
  REFUSED, TWO_PEOPLE_LOG_ODDS, LEAST_SHARE, LEAST_COSINE, SAME_PERSON_COSINE,
} = parameters.enrolment;
const UNSEEN = new RegExp(`(?![${JOINERS}])`
  + `[${INVISIBLE.map((category) => `\\p{${category}}`).join("")}${BLANK}]`, "u");
const UNREAD = new RegExp(`[${JOINERS}${EMOJI_STYLE}]`, "g");
const LATIN = pairs(...parameters.names.ALIKE);

/** What was seen or heard, without its embedding where nobody may be enrolled from that, though
 *  identifying takes it, as it takes the largest of several faces; refused: the flaw. */
export function toEnroll(found) {
  const refused = found?.embedding && found.flaws.find((flaw) => REFUSED.includes(flaw));
  return refused ? { ...found, embedding: null, refused } : found;
}

/** The name as it is stored; Trouble where it will not do or is taken. */
export function checkedName(name, people) {
  const stored = clean(name);
  expect([...stored].length <= MAX_NAME_CHARACTERS, "name_too_long", { most: MAX_NAME_CHARACTERS });
  expect(!/[/\\]/.test(stored) && !UNSEEN.test(stored), "name_with_odd_characters");
  expect(/[\p{L}\p{N}]/u.test(stored), "name_without_letters");
  expect(!RESERVED.includes(nameKey(stored)), "name_reserved");
  expect(!people.some((person) => nameKey(person.name) === nameKey(stored)), "name_taken");
  return stored;
}

function clean(text) {
  return text.normalize("NFC").replace(/\p{Zs}+/gu, " ").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

/** Equal for names that a reader would take for the same. */
function nameKey(name) {
  // Letter by letter: at a word's end, a sigma would become another one.
  const folded = [...name.normalize("NFKC")].map(fold).join("");
  const letters = [...folded.normalize("NFKD")].map((one) => LATIN.get(one) ?? one).join("");
  return clean(letters.replace(UNREAD, "").normalize("NFKC"));
}

/** As Python's casefold: by way of capitals, which turns ß into ss. */
function fold(letter) {
  return letter.toLowerCase().toUpperCase().toLowerCase();
}

function pairs(letters, latin) {
  return new Map([...letters].map((letter, i) => [letter, latin[i]]));
}

/** Trouble where samples of a modality are not of one person. samples: {face: [...], voice}. odds:
 *  of `visavox thresholds`, which find far more; null where there are none. */
export function checkAgreement(samples, odds = null) {
  const parted = Object.fromEntries(Object.entries(samples)
    .filter(([, embeddings]) => embeddings.length > 1)
    .map(([modality, embeddings]) => [modality, part(embeddings)]));
  const least = leastExpected(parted, odds);
  for (const [modality, { between }] of Object.entries(parted)) {
    expect(between >= least[modality], `${modality}_samples_disagree`);
  }
}

/** The mean cosine between the groups from which on they are of one person: gallery/samples.py. */
function leastExpected(parted, odds) {
  const groups = Object.entries(parted);
  const least = Object.fromEntries(groups.map(([modality, { within }]) =>
    [modality, Math.max(LEAST_SHARE * within, LEAST_COSINE)]));
  if (!odds) return least;
  const against = Object.fromEntries(groups.map(([modality, { between }]) => [modality,
    Math.min(odds[modality].scale[modality] * between + odds[modality].offset, 0)]));
  const total = Object.values(against).reduce((sum, value) => sum + value, 0);
  for (const [modality] of groups) {
    const { scale: { [modality]: scale }, offset } = odds[modality];
    const limit = Math.min(TWO_PEOPLE_LOG_ODDS - (total - against[modality]), 0);
    if (scale) least[modality] = Math.max(least[modality], (limit - offset) / scale);
  }
  return least;
}

// Two groups by average linkage, and the mean cosines between and within them: gallery/samples.py.
function part(embeddings) {
  const groups = embeddings.map((one) => [one]);
  while (groups.length > 2) {
    let most = { alike: -Infinity };
    for (let j = 0; j < groups.length; j += 1) {
      for (let i = 0; i < j; i += 1) {
        const alike = mean(groups[i].flatMap((a) => groups[j].map((b) => cosine(a, b))));
        if (alike > most.alike) most = { alike, i, j };
      }
    }
    groups[most.i].push(...groups.splice(most.j, 1)[0]);
  }
  const [one, other] = groups;
  const pairs = groups.flatMap((group) =>
    group.flatMap((a, i) => group.slice(i + 1).map((b) => cosine(a, b))));
  return {
    between: mean(one.flatMap((a) => other.map((b) => cosine(a, b)))),
    within: pairs.length ? mean(pairs) : 0,
  };
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The name of whoever seems to be the same person as these samples are of, or null. */
export function twinOf(samples, people) {
  let twin = null;
  let most = SAME_PERSON_COSINE;
  for (const { name, templates } of people) {
    const found = Object.entries(samples)
      .filter(([modality, embeddings]) => templates[modality] && embeddings.length)
      .map(([modality, embeddings]) => cosine(templates[modality], meanTemplate(embeddings)));
    const likeness = found.reduce((sum, value) => sum + value, 0) / found.length;
    if (likeness >= most) [twin, most] = [name, likeness];
  }
  return twin;
}
