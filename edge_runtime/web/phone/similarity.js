// From cosines to log-odds of being one person, and what embeddings share: similarity.py and
// gallery/roster.py. Cosines are {face, voice}, each [people], NaN for whom there is none.

import { largest } from "./scoring.js";
import parameters from "./shared/parameters.js";

const { CONTRADICTION_LOG_ODDS, LEAST_LENGTH } = parameters.similarity;

/** Ranks people where nothing was fitted; its numbers are mean cosines, no odds, and contradict
 *  nobody. */
export const { PLAIN } = parameters.similarity;

/** By what there is -> log-odds [people]; minus infinity for whom nothing speaks, and for whom a
 *  modality that may (`contradict`) contradicts. */
export function logOdds(odds, cosines, contradict = ["face", "voice"]) {
  const modalities = Object.keys(cosines);
  const alone = {};
  for (const modality of modalities) {
    alone[modality] = orNever(linear(odds[modality], { [modality]: cosines[modality] }));
  }
  if (modalities.length === 1) return alone[modalities[0]];
  const found = linear(odds.both, cosines);
  for (const modality of modalities) {
    for (let i = 0; i < found.length; i++) {
      if (Number.isNaN(found[i]) && !Number.isNaN(cosines[modality][i])) {
        found[i] = alone[modality][i];
      }
    }
  }
  for (const modality of modalities.filter((name) => contradict.includes(name))) {
    const against = contradicted(alone[modality]);
    for (let i = 0; i < found.length; i++) {
      if (against[i] && !Number.isNaN(cosines[modality][i])) found[i] = -Infinity;
    }
  }
  return orNever(found);
}

/** Whether of two modalities one speaks for whom both together speak most for, and the other
 *  contradicts. */
export function disagreement(odds, cosines) {
  const best = largest(logOdds(odds, cosines, []));
  const alone = Object.keys(cosines)
    .filter((modality) => !Number.isNaN(cosines[modality][best]))
    .map((modality) => logOdds(odds, { [modality]: cosines[modality] }));
  return alone.some((found) => found[best] >= 0)
    && alone.some((found) => contradicted(found)[best]);
}

/** For whom one modality's log-odds say that a stranger (zero), or somebody else, is likelier. */
function contradicted(odds) {
  const most = odds.reduce((a, b) => Math.max(a, b), 0);
  return Array.from(odds, (value) => value <= most - CONTRADICTION_LOG_ODDS);
}

/** The product of two embeddings, which is their cosine where both are of length 1. */
export function cosine(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i] * other[i];
  return sum;
}

/** Brought to length 1, float32. */
export function unit(embedding) {
  const length = Math.max(Math.sqrt(cosine(embedding, embedding)), LEAST_LENGTH);
  return Float32Array.from(embedding, (value) => value / length);
}

/** One template of several embeddings [dim]: their mean, of length 1. */
export function meanTemplate(embeddings) {
  const sum = new Float64Array(embeddings[0].length);
  for (const embedding of embeddings) for (let i = 0; i < sum.length; i++) sum[i] += embedding[i];
  return unit(sum.map((value) => value / embeddings.length));
}

/** offset + the sum over modalities of scale times cosine. */
function linear({ scale, offset }, cosines) {
  const people = Object.values(cosines)[0].length;
  const total = new Float64Array(people).fill(offset);
  for (const [modality, factor] of Object.entries(scale)) {
    for (let i = 0; i < people; i++) total[i] += factor * cosines[modality][i];
  }
  return total;
}

function orNever(odds) {
  return odds.map((value) => (Number.isNaN(value) ? -Infinity : value));
}
