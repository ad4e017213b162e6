// The service worker, which keeps one export whole, and the export after it, which waits until it
// may take over.

const ASK_MS = 5000; // for which a server is asked which export it has
const TAKE_OVER_MS = 10_000; // after which a later export that does not take over has to wait

/** Returns once everything that runs comes from the worker, and so from one export; or, where that
 *  cannot be kept, at once. free(): whether nothing goes on here that another export, which loads
 *  this page anew, would break off. tell(word): `newer` or `not_whole`, of a later export. */
export async function keepForOffline(free, tell) {
  const { serviceWorker } = navigator;
  if (serviceWorker.controller) {
    serviceWorker.addEventListener("controllerchange", () => location.reload());
  }
  const known = await serviceWorker.getRegistration();
  follow(known, free, tell);
  if (known?.waiting) await new Promise((resolve) => { setTimeout(resolve, TAKE_OVER_MS); });
  if (serviceWorker.controller) {
    askNowAndAgain(known, free, tell);
    return;
  }
  const registration = await registerNewest(known, free, tell);
  const worker = registration?.installing ?? registration?.waiting;
  if (!worker) return;
  await new Promise((resolve) => {
    worker.addEventListener("statechange", () => {
      if (["activated", "redundant"].includes(worker.state)) resolve();
    });
  });
  // What was loaded so far may be of another export, out of the browser's own cache.
  if (worker.state !== "activated" || wasLoadedAgain()) return;
  location.reload();
  await new Promise(() => {});
}

/** What the server has now is fetched meanwhile, and what it has later once the page is looked at
 *  again. */
function askNowAndAgain(known, free, tell) {
  const ask = () => registerNewest(known, free, tell).catch(() => tell("not_whole"));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
  ask();
}

/** The worker of the export that the server has now. */
async function registerNewest(known, free, tell) {
  let script = "service-worker.js"; // of exports before those that say which one they are
  try {
    const answer = await fetch("export.json", {
      cache: "no-store", signal: AbortSignal.timeout(ASK_MS) });
    if (answer.ok) script = `service-worker-${(await answer.json()).version}.js`;
  } catch {
    if (known) return known; // without a network
  }
  const registration = await navigator.serviceWorker.register(script, { updateViaCache: "none" });
  if (registration !== known) follow(registration, free, tell);
  return registration;
}

/** Lets a later export take over as soon as it is whole and nothing goes on here. */
function follow(registration, free, tell) {
  if (!registration) return;
  const offer = () => {
    if (!registration.waiting) return;
    if (free()) registration.waiting.postMessage("take over");
    else tell("newer");
  };
  const watch = (worker) => worker?.addEventListener("statechange", () => {
    if (worker.state === "installed") offer();
    else if (worker.state === "redundant" && registration.active) tell("not_whole");
  }, { once: true }); // what it becomes after being installed is no news
  watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  offer();
}

const wasLoadedAgain = () => performance.getEntriesByType("navigation")[0]?.type === "reload";
