// The people enrolled on this phone, in IndexedDB. What is stored of each is encrypted (AES-GCM) by
// a key that the browser keeps and no script can read: embeddings, name and consent, never pictures
// or sound.

import parameters from "./shared/parameters.js";
import { meanTemplate } from "./similarity.js";

const NAME = "visavox";
const { REJECTED_DAYS } = parameters.gallery;
const DAY_MS = 24 * 3600 * 1000;

/** Opens the gallery of a bundle; makes it, and its key, where there is none. */
export async function openGallery(manifest) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("keys");
    opening.result.createObjectStore("people");
  };
  const database = await settled(opening);
  const networks = Object.fromEntries(Object.entries(manifest.files)
    .map(([part, { sha256 }]) => [part, sha256]));
  return new Gallery(database, await deviceKey(database), networks);
}

async function deviceKey(database) {
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false,
    ["encrypt", "decrypt"]);
  const store = database.transaction("keys", "readwrite").objectStore("keys");
  const known = await settled(store.get("device"));
  if (known) return known;
  await settled(store.add(made, "device"));
  return made;
}

class Gallery {
  #database;
  #key;
  #networks;

  constructor(database, key, networks) {
    this.#database = database;
    this.#key = key;
    this.#networks = networks;
  }

  /** Everybody, in the order in which they were enrolled: {id, name, consent, enrolled, foreign,
   *  templates, rejected, counts}. foreign: enrolled with another bundle, and so of no use. */
  async people() {
    const store = this.#store("readonly");
    const [ids, rows] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
    const people = await Promise.all(ids.map(async (id, i) => this.#person(id, rows[i])));
    return people.sort((a, b) => a.enrolled.localeCompare(b.enrolled));
  }

  /** samples: {face: [embedding, ...], voice: [...]}. */
  async enroll(name, consent, samples) {
    const record = { name, consent, enrolled: new Date().toISOString(), networks: this.#networks,
      samples: plain(samples), rejected: [] };
    await this.#write(crypto.randomUUID(), record);
  }

  /** Keeps what is not this person, for 30 days. embeddings: {face, voice}, or one of both. */
  async reject(id, embeddings) {
    const record = await this.#read(id, await settled(this.#store("readonly").get(id)));
    const kept = fresh(record.rejected);
    for (const [modality, embedding] of Object.entries(embeddings)) {
      kept.push({ modality, embedding: Array.from(embedding), added: Date.now() });
    }
    await this.#write(id, { ...record, rejected: kept });
  }

  /** Deletes everything that is stored of a person. */
  async forget(id) {
    await settled(this.#store("readwrite").delete(id));
  }

  async #person(id, row) {
    const record = await this.#read(id, row);
    const templates = {};
    const rejected = {};
    for (const [modality, embeddings] of Object.entries(record.samples)) {
      if (embeddings.length) templates[modality] = meanTemplate(embeddings);
    }
    for (const { modality, embedding } of fresh(record.rejected)) {
      (rejected[modality] ??= []).push(embedding);
    }
    const foreign = Object.keys(this.#networks)
      .some((part) => this.#networks[part] !== record.networks[part]);
    const { name, consent, enrolled } = record;
    const counts = { faces: record.samples.face.length, clips: record.samples.voice.length };
    return { id, name, consent, enrolled, foreign, templates, rejected, counts };
  }

  #store(mode) {
    return this.#database.transaction("people", mode).objectStore("people");
  }

  async #write(id, record) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const content = new TextEncoder().encode(JSON.stringify(record));
    const sealed = await crypto.subtle.encrypt(bound(id, iv), this.#key, content);
    await settled(this.#store("readwrite").put({ iv, sealed }, id));
  }

  async #read(id, { iv, sealed }) {
    const content = await crypto.subtle.decrypt(bound(id, iv), this.#key, sealed);
    return JSON.parse(new TextDecoder().decode(content));
  }
}

/** A record cannot be put in another one's place. */
function bound(id, iv) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) };
}

function plain(samples) {
  return Object.fromEntries(Object.entries(samples).map(([modality, embeddings]) =>
    [modality, embeddings.map((embedding) => Array.from(embedding))]));
}

function fresh(rejected) {
  return rejected.filter(({ added }) => Date.now() - added < REJECTED_DAYS * DAY_MS);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
