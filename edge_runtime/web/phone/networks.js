// A bundle's networks and the face detector's: loaded once, checked, and run in a worker.

import parameters from "./shared/parameters.js";
import { expect } from "./trouble.js";

const { FORMAT } = parameters.bundle;

/** What runs everything: {manifest, bundle, thresholds, threads, run(network, inputs) -> outputs}.
 *  bundle: {name, made, hash}, the hash of its manifest, which has those of the networks. */
export async function loadNetworks(base = document.baseURI) {
  const fetched = async (path) => {
    const answer = await fetch(new URL(path, base));
    expect(answer.ok, "missing_file", { file: path });
    return answer;
  };
  const description = await (await fetched("bundle/manifest.json")).arrayBuffer();
  const manifest = JSON.parse(new TextDecoder().decode(description));
  expect(manifest.format === FORMAT, "bundle_format", { found: manifest.format });
  const bundle = { ...await (await fetched("bundle.json")).json(), hash: await hash(description) };
  const thresholds = await (await fetched("limits.json")).json();
  const files = { detector: await (await fetched("third_party/face_detection.tflite"))
    .arrayBuffer() };
  for (const [part, { file, sha256 }] of Object.entries(manifest.files)) {
    files[part] = await (await fetched(`bundle/${file}`)).arrayBuffer();
    expect((await hash(files[part])) === sha256, "damaged_file", { file });
  }
  const worker = new RemoteCalls(new Worker(new URL("networks-worker.js", base)));
  // In several threads LiteRT.js 2.5.3 computes int8 convolutions wrongly on some processors (seen
  // with AVX-512 VNNI: scores off by 0.09); in one thread they are those of Python.
  const exact = /float(32|16)$/.test(manifest.recipe) && globalThis.crossOriginIsolated;
  const threads = exact ? navigator.hardwareConcurrency : 1;
  const loaded = await worker.call("load", { files, threads });
  return {
    manifest, bundle, thresholds, threads: loaded,
    run: (network, inputs) => worker.call("run", { network, inputs }),
  };
}

/** The outputs {scores, embedding} of one modality's network for one input without batch. */
export async function runModality({ manifest, run }, modality, data) {
  const { size } = manifest.inputs.face;
  const shape = modality === "face" ? [1, size, size, 3] : [1, data.length];
  return run(modality, { [modality]: { data, shape } });
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Calls to a worker, each with the promise of its answer. */
class RemoteCalls {
  #waiting = new Map();
  #worker;
  #last = 0;

  constructor(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    };
    worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message));
      this.#waiting.clear();
    };
  }

  call(call, argument) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, argument });
    });
  }
}
