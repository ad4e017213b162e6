// The page: starts everything, looks and listens without end, and goes from view to view.

import { openDevices } from "./capture.js";
import { Cancelled, Enrolment } from "./enrolment.js";
import { openGallery } from "./gallery.js";
import { showDecision, showDevices, showSeen, showSound } from "./live.js";
import { loadNetworks } from "./networks.js";
import { keepForOffline } from "./offline.js";
import { showPeople } from "./people.js";
import { Presence } from "./presence.js";
import { toEnroll } from "./samples.js";
import { element } from "./shared/elements.js";
import { moment, offerLanguages, text } from "./shared/language.js";
import parameters from "./shared/parameters.js";
import { expect, sorry } from "./trouble.js";
import { Watcher } from "./watcher.js";

const LANGUAGE = "visavox-phone-language"; // in localStorage
const PERIOD_S = 0.3; // between two looks
const LISTEN_EVERY_S = 0.5;
const REOPEN_S = 3; // between two attempts to open what is gone
const { LEVEL_S } = parameters.capture;

const nowS = () => performance.now() / 1000;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

let networks, gallery, devices, watcher, presence, people, enrolment, wakeLock;
let openedS = -Infinity; // when opening the devices was tried last
let waiting = []; // who wants to know what is seen next
let rows = {}; // what the last decision was made by

async function start() {
  await offerLanguages(element("language"), ["en", "de"], LANGUAGE, afterLanguage);
  try {
    expect(isSecureContext, "not_secure", { address: location.origin });
    await keepForOffline(() => document.body.dataset.view === "start", showLater);
    networks = await loadNetworks();
    showBundle();
    gallery = await openGallery(networks.manifest);
  } catch (error) {
    complain(error);
    return;
  }
  for (const button of document.querySelectorAll("[data-go]")) {
    button.onclick = () => go(button.dataset.go);
  }
  element("begin").onclick = begin;
  element("among").onchange = newWatcher;
  element("reject").onclick = reject;
  element("who").onsubmit = enrol;
  element("begin").disabled = false;
  element("begin").dataset.text = "start.begin";
  element("begin").textContent = text("start.begin");
}

function showBundle() {
  const { name, made, hash } = networks.bundle;
  element("bundle").textContent = text("bundle.which", { name, hash: hash.slice(0, 8),
    made: moment(made, { dateStyle: "medium", timeStyle: "short" }) });
}

/** What came of an export that the server has since. */
function showLater(word) {
  element("later").textContent = text(`later.${word}`);
}

async function begin() {
  element("begin").disabled = true;
  try {
    devices = await openDevices(element("video"));
  } catch (error) {
    complain(error);
    element("begin").disabled = false;
    return;
  }
  element("trouble").textContent = "";
  element("stage").hidden = false;
  document.querySelector("nav").hidden = false;
  wakeLock = await navigator.wakeLock?.request("screen").catch(() => null);
  await reload();
  await go("live");
  lookOn();
}

/** Everybody enrolled anew, after a change. */
async function reload() {
  people = (await gallery.people()).filter((person) => !person.foreign);
  const { people: trained } = networks.manifest;
  element("among").replaceChildren(
    new Option(text("among.enrolled", { count: people.length }), "enrolled"),
    new Option(text("among.trained", { count: trained.length }), "trained"));
  element("among").value = people.length ? "enrolled" : "trained";
  element("among-label").hidden = !people.length;
  newWatcher();
}

function newWatcher() {
  watcher = new Watcher(networks, element("among").value === "enrolled" ? people : null);
  presence = new Presence();
}

async function go(view) {
  enrolment?.cancel();
  for (const panel of document.querySelectorAll("main > .panel")) panel.hidden = panel.id !== view;
  document.body.dataset.view = view;
  document.body.dataset.state = view === "enrol" ? "enrolling" : "looking";
  for (const button of document.querySelectorAll("[data-go]")) {
    if (button.dataset.go === view) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  element("trouble").textContent = "";
  if (view === "people") await showPeople(gallery, forgotten);
  if (view !== "live") element(view).querySelector("[tabindex]").focus();
}

async function forgotten() {
  await reload();
  await showPeople(gallery, forgotten);
}

async function lookOn() {
  let heardS = -Infinity;
  let heard = { flaws: [] };
  while (devices) {
    const lookS = nowS();
    if (document.visibilityState === "visible") {
      try {
        if (devices.lost) await reopen();
        const at = watcher;
        const { camera, microphone } = devices;
        const seen = await at.see(camera, lookS);
        if (!microphone) heard = { flaws: [] };
        else if (lookS - heardS >= LISTEN_EVERY_S && at.heardS(lookS) > 0) {
          heard = await at.hear(microphone.last(at.heardS(lookS)), lookS);
          heardS = lookS;
        }
        show(at, seen, heard, nowS() - lookS);
      } catch (error) {
        complain(error);
      }
    }
    await sleep(Math.max(PERIOD_S - (nowS() - lookS), 0.02));
  }
}

/** What is gone may be back. */
async function reopen() {
  if (nowS() - openedS < REOPEN_S) return;
  openedS = nowS();
  const before = devices;
  devices = await openDevices(element("video")).catch(() => before);
  if (devices !== before) before.close();
}

function show(at, looked, heard, tookS) {
  const seen = enrolment ? toEnroll(looked) : looked;
  showDevices(devices);
  if (devices.microphone) showSound(devices.microphone.last(LEVEL_S));
  showSeen(seen, heard.flaws);
  for (const resolve of waiting.splice(0)) resolve(seen);
  if (document.body.dataset.view !== "live" || at !== watcher) return;
  const decision = at.decide(nowS());
  rows = decision.rows;
  const state = presence.update(
    { face: Boolean(seen?.boxes.length), spoke: Boolean(heard.embedding) }, decision, nowS());
  const name = showDecision(state, decision, Boolean(devices.microphone));
  const enrolled = people.find((person) => person.name === name);
  element("reject").hidden = !enrolled || element("among").value !== "enrolled";
  element("reject").dataset.person = enrolled?.id ?? "";
  element("cost").textContent = text("live.cost", { ms: Math.round(1000 * tookS),
    threads: networks.threads, recipe: networks.manifest.recipe });
}

async function reject() {
  await gallery.reject(element("reject").dataset.person, rows);
  await reload();
}

async function enrol(event) {
  event.preventDefault();
  const consent = element("consent-text").textContent;
  enrolment = new Enrolment(gallery, { next, record,
    hears: () => Boolean(devices.microphone) }, networks.thresholds?.odds ?? null);
  element("who").hidden = true;
  element("steps").hidden = false;
  element("trouble").textContent = "";
  element("instruction").focus();
  try {
    await enrolment.run(element("new-name").value, consent);
    await navigator.storage.persist(); // or a browser short of space may delete the gallery
    element("who").reset();
    await reload();
    enrolment = null;
    await go("live");
  } catch (error) {
    if (!(error instanceof Cancelled)) complain(error);
  } finally {
    enrolment = null;
    delete document.body.dataset.enrolment;
    element("who").hidden = false;
    element("steps").hidden = true;
  }
}

/** What the watcher sees next. */
function next() {
  return new Promise((resolve) => {
    waiting.push(resolve);
  });
}

/** A clip of so many seconds from now on; progress(share) is called meanwhile. */
async function record(seconds, progress) {
  const beginS = nowS();
  while (nowS() - beginS < seconds) {
    await sleep(0.1);
    progress(Math.min((nowS() - beginS) / seconds, 1));
  }
  const sound = devices.microphone?.last(seconds);
  return sound ? new Watcher(networks, []).hear(sound, nowS()) : { flaws: [] };
}

async function afterLanguage() {
  if (networks) showBundle();
  if (devices) await reload();
  if (document.body.dataset.view === "people") await showPeople(gallery, forgotten);
}

function complain(error) {
  element("trouble").textContent = sorry(error);
}

document.addEventListener("visibilitychange", async () => {
  if (devices && document.visibilityState === "visible" && wakeLock?.released) {
    wakeLock = await navigator.wakeLock.request("screen").catch(() => null);
  }
});

start();
