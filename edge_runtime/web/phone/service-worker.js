"use strict";
// Keeps the page, the bundle and LiteRT on the phone, so that everything works without a network.
// The export writes EXPORT before this: its version, and the hash of each of its files. What has
// another hash is of another export, and refused: an export is taken as a whole, or not at all.
// This script has its version in its name too: no cache, and no server that only looks whether a
// file is newer, gives another export's in its place.

const { version, files, onUse } = EXPORT;
const hashes = { ...files, ...onUse };
const PREFIX = `visavox ${self.registration.scope} `;
const LIST = new URL("precache.json", self.registration.scope).href; // kept in the cache alone
let unasked = false; // whether this takes over without a page's asking
const address = (path) => new URL(path, self.registration.scope).href;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", () => self.skipWaiting()); // a page where nothing goes on yet
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.href.split(/[?#]/)[0] === self.registration.scope) url.pathname += "index.html";
  const path = url.href.slice(self.registration.scope.length).split(/[?#]/)[0];
  if (event.request.method !== "GET" || !Object.hasOwn(hashes, path)) return;
  event.respondWith(kept(path));
});

/** What an attempt that was broken off has fetched is there, and not fetched again. */
async function install() {
  const cache = await caches.open(PREFIX + version);
  const { known, old } = await before();
  await Promise.all(Object.entries(hashes).map(async ([path, hash]) => {
    if (await cache.match(address(path))) return;
    const had = known[path] && (await old.match(address(path)));
    if (had && known[path] === hash) await cache.put(address(path), had);
    else if (had || path in files) await fetched(cache, path);
  }));
  await cache.put(LIST, Response.json(hashes));
  // Pages of exports whose worker had no version in its name know nothing of asking.
  unasked = Boolean(self.registration.active?.scriptURL.endsWith("/service-worker.js"));
  if (unasked) await self.skipWaiting();
}

/** The cache of a whole export before this one, and the hashes of what is in it. */
async function before() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX) || name === PREFIX + version) continue;
    const old = await caches.open(name);
    const list = await old.match(LIST);
    if (list) return { old, known: await list.json() };
  }
  return { known: {} };
}

/** From now on everything is of this export. Pages load themselves anew, but for those of exports
 *  that do not know of it. */
async function activate() {
  const others = (await caches.keys()).filter(
    (name) => name.startsWith(PREFIX) && name !== PREFIX + version);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
  if (!unasked || !others.length) return;
  for (const page of await self.clients.matchAll({ type: "window" })) {
    page.navigate(page.url).catch(() => {}); // not awaited: it waits for this to end
  }
}

async function kept(path) {
  const cache = await caches.open(PREFIX + version);
  return (await cache.match(address(path))) ?? fetched(cache, path);
}

/** From the network, past the browser's own cache, which may hold another export's file. */
async function fetched(cache, path) {
  const answer = await fetch(address(path), { cache: "reload" });
  const content = await answer.arrayBuffer();
  if (!answer.ok || (await hash(content)) !== hashes[path]) {
    throw new Error(`${path} is not there, or of another export`);
  }
  // Anew, because a navigation takes no answer that was redirected.
  const whole = new Response(content, { headers: answer.headers });
  await cache.put(address(path), whole.clone());
  return whole;
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
