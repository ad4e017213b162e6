// Everybody enrolled, and forgetting them.

import {refusal} from "./codes.js";
import {call} from "./server.js";
import {element, say} from "./shared/elements.js";
import {language, text} from "./shared/language.js";

export async function showPeople() {
  const message = element("people").querySelector(".message");
  say(message, "");
  try {
    const {people} = await call("GET", "/api/people");
    element("people-list").replaceChildren(...people.map(entry));
    say(element("people-count"), text(people.length ? "people.count" : "people.none",
                                      {count: people.length}));
  } catch (error) {
    say(message, refusal(error));
  }
}

function entry({person, enrolled}) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  const since = document.createElement("small");
  const forget = document.createElement("button");
  name.textContent = person;
  const date = new Date(enrolled).toLocaleDateString(language, {dateStyle: "medium"});
  since.textContent = text("people.since", {date});
  forget.textContent = text("people.forget");
  forget.className = "plain";
  forget.setAttribute("aria-label", text("people.forget-name", {name: person}));
  forget.onclick = () => askToForget(person);
  name.append(since);
  item.append(name, forget);
  return item;
}

function askToForget(person) {
  const dialog = element("forget");
  dialog.returnValue = "keep";
  say(element("forget-title"), text("forget.title", {name: person}));
  dialog.onclose = () => { if (dialog.returnValue === "forget") forget(person); };
  dialog.showModal();
}

async function forget(person) {
  let said;
  try {
    await call("DELETE", `/api/people/${encodeURIComponent(person)}`);
    said = text("forget.done", {name: person});
  } catch (error) {
    said = refusal(error);
  }
  await showPeople();
  say(element("people").querySelector(".message"), said);
  element("people").querySelector("h1").focus(); // the button that had it is gone
}
