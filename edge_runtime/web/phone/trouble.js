// What a person can mend: a word of the dictionary, with its values.

import { text } from "./shared/language.js";

export class Trouble extends Error {
  constructor(word, values = {}) {
    super(`${word} ${JSON.stringify(values)}`);
    this.word = word;
    this.values = values;
  }
}

/** Throws Trouble where something does not hold. */
export function expect(holds, word, values) {
  if (!holds) throw new Trouble(word, values);
}

/** What to say about an error. */
export function sorry(error) {
  return error.word ? text(`trouble.${error.word}`, error.values)
    : text("trouble.other", { message: error.message });
}
