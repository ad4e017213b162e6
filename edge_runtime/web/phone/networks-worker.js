"use strict";
// The networks, in a thread of their own, so that the page does not stop while they compute.
// A classic worker: LiteRT's scripts load each other by importScripts, which a module has not.

const LITERT = new URL("third_party/litert/", self.location);
const MAX_THREADS = 4; // a phone's fast cores; with the slow ones in, all wait for these
const models = {};
let litert;

/** files: URL by the network's name. Returns how many threads each inference has. */
async function load({ files, threads }) {
  const script = new URL("wasm/litert_wasm_threaded_internal.js", LITERT).href;
  self.Module = { locateFile: (name) => new URL(`wasm/${name}`, LITERT).href };
  if (threads > 1) self.Module.mainScriptUrlOrBlob = script;
  litert = await import(new URL("index.js", LITERT));
  await litert.loadLiteRt(new URL("wasm/", LITERT).href, { threads: threads > 1 });
  const numThreads = Math.min(threads, MAX_THREADS);
  for (const [name, bytes] of Object.entries(files)) {
    models[name] = await litert.loadAndCompile(new Uint8Array(bytes), {
      accelerator: "wasm",
      cpuOptions: { numThreads },
    });
  }
  return numThreads;
}

/** inputs: {name: {data: Float32Array, shape}} -> outputs {name: Float32Array}. */
async function run({ network, inputs }) {
  const given = {};
  for (const [name, { data, shape }] of Object.entries(inputs)) {
    given[name] = new litert.Tensor(data, shape);
  }
  const found = await models[network].run(given);
  const outputs = {};
  for (const [name, tensor] of Object.entries(found)) {
    outputs[name] = tensor.toTypedArray().slice();
    tensor.delete();
  }
  for (const tensor of Object.values(given)) tensor.delete();
  return outputs;
}

const calls = { load, run };
let last = Promise.resolve();
self.onmessage = ({ data: { id, call, argument } }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ id, result: await calls[call](argument) });
    } catch (error) {
      self.postMessage({ id, error: `${error?.message ?? error}` });
    }
  });
};
