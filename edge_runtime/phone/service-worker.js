"use strict";
// Keeps the page, the bundle and LiteRT on the phone, so that everything works without a network.
// precache.js, written by the export, says which files there are and the hash of each: a new
// export is taken over as a whole, and only files that differ are fetched again.

importScripts("precache.js");

const { version, files, onUse } = self.PRECACHE;
const PREFIX = `visavox ${self.registration.scope} `;
const LIST = new URL("precache.json", self.registration.scope).href; // kept in the cache alone
const address = (path) => new URL(path, self.registration.scope).href;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.href === self.registration.scope) url.pathname += "index.html";
  const path = url.href.slice(self.registration.scope.length).split(/[?#]/)[0];
  if (event.request.method !== "GET" || !(path in files || path in onUse)) return;
  event.respondWith(kept(path));
});

async function install() {
  const cache = await caches.open(PREFIX + version);
  const { known, old } = await before();
  const wanted = Object.entries({ ...files, ...onUse });
  await Promise.all(wanted.map(async ([path, hash]) => {
    const had = known[path] && (await old.match(address(path)));
    if (had && known[path] === hash) await cache.put(address(path), had);
    else if (had || path in files) await fetched(cache, path);
  }));
  await cache.put(LIST, Response.json({ ...files, ...onUse }));
  await self.skipWaiting();
}

/** The cache of the export before this one, and the hashes of what is in it. */
async function before() {
  const name = (await caches.keys()).find((key) => key.startsWith(PREFIX)
    && key !== PREFIX + version);
  const old = name && (await caches.open(name));
  const list = old && (await old.match(LIST));
  return { old, known: list ? await list.json() : {} };
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== PREFIX + version) await caches.delete(name);
  }
  await self.clients.claim();
}

async function kept(path) {
  const cache = await caches.open(PREFIX + version);
  return (await cache.match(address(path))) ?? fetched(cache, path);
}

/** From the network, past the browser's own cache, which may hold another export's file. */
async function fetched(cache, path) {
  const answer = await fetch(address(path), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  await cache.put(address(path), answer.clone());
  return answer;
}
