// Who is it, or nobody, and why: decide.py. A decision is {person, reason, people,
// scores, leftOut, threshold}; person is null for nobody, and without thresholds.

import { fuse, largest } from "./scoring.js";
import { cosine, disagreement, logOdds, PLAIN } from "./similarity.js";

/** By the networks' scores {face, voice}, each [people] or absent. */
export function amongTrained(manifest, scores) {
  const { people, thresholds } = manifest;
  const fused = fuse(scores.face, scores.voice, manifest.score_scaling);
  const column = !scores.voice ? "face" : !scores.face ? "voice" : "ensemble";
  const threshold = thresholds?.[column] ?? null;
  const decision = { person: null, people, scores: { ...scores, fused }, leftOut: [], threshold };
  if (!thresholds) return { ...decision, reason: "no_thresholds" };
  const best = largest(fused);
  if (fused[best] < threshold) return { ...decision, reason: "below_threshold" };
  return { ...decision, person: people[best], reason: "accepted" };
}

/** Everybody enrolled, and how alike each is to embeddings {face, voice} of length 1, each [dim] or
 *  absent: {names, cosines, rejected, thresholds}.
 *
 *  enrolled: [{name, templates: {face, voice}, rejected: {face: [...], voice: [...]}}].
 *  thresholds: what `visavox thresholds` found, or null. */
export function candidates(enrolled, embeddings, thresholds) {
  const cosines = {};
  const rejected = {};
  for (const [modality, embedding] of Object.entries(embeddings)) {
    cosines[modality] = Float32Array.from(enrolled, ({ templates }) =>
      templates[modality] ? cosine(templates[modality], embedding) : NaN);
    rejected[modality] = enrolled.map((person) => {
      const samples = person.rejected?.[modality] ?? [];
      return samples.length ? Math.max(...samples.map((one) => cosine(one, embedding))) : NaN;
    });
  }
  return { names: enrolled.map(({ name }) => name), cosines, rejected, thresholds };
}

/** By how alike people enrolled are. doubtful: the modalities that speak for people, and against
 *  nobody whom the other speaks for. */
export function amongEnrolled(found, doubtful = []) {
  const { names: people, cosines, thresholds } = found;
  if (!people.length) {
    return { person: null, reason: "nobody_enrolled", people, scores: { fused: [] }, leftOut: [],
      threshold: null };
  }
  const similarity = thresholds?.odds ?? PLAIN;
  const sure = Object.keys(cosines).filter((modality) => !doubtful.includes(modality));
  const odds = logOdds(similarity, cosines, thresholds ? sure : []);
  const leftOut = leaveOutRejected(found, odds);
  const fused = thresholds ? odds.map((value) => 1 / (1 + Math.exp(-value)))
    : odds.map((value) => Math.max(value, -1));
  const decision = { person: null, people, scores: { ...cosines, fused }, leftOut,
    threshold: null };
  if (!thresholds) return { ...decision, reason: "no_thresholds" };
  const best = largest(odds);
  const there = Object.keys(cosines).filter((modality) => !Number.isNaN(cosines[modality][best]));
  const least = thresholds.thresholds[columnOf(there.length ? there : Object.keys(cosines))];
  decision.threshold = 1 / (1 + Math.exp(-least));
  if (odds[best] >= least) {
    return { ...decision, person: people[best], reason: "accepted" };
  }
  const disagree = sure.length > 1 && disagreement(similarity, cosines);
  return { ...decision, reason: disagree ? "disagreement" : "below_threshold" };
}

function columnOf(modalities) {
  return modalities.length > 1 ? "both" : modalities[0];
}

/** Takes people out of the odds whose "not this person" sample is more alike than they are. */
function leaveOutRejected({ names, cosines, rejected }, odds) {
  const leftOut = [];
  for (;;) {
    const best = largest(odds);
    if (!Number.isFinite(odds[best])) return leftOut;
    const against = Object.entries(rejected).some(([modality, alike]) =>
      !Number.isNaN(alike[best]) && !(alike[best] <= cosines[modality][best]));
    if (!against) return leftOut;
    odds[best] = -Infinity;
    leftOut.push(names[best]);
  }
}
