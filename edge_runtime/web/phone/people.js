// The list of people enrolled on this phone, and forgetting.

import { date, text } from "./language.js";

const byId = (id) => document.getElementById(id);

/** forgotten(): called when somebody was. */
export async function showPeople(gallery, forgotten) {
  const people = await gallery.people();
  byId("forget").hidden = true;
  byId("people-note").textContent = people.length ? text("people.count", { count: people.length })
    : text("people.none");
  byId("list").replaceChildren(...people.map((person) => {
    const item = document.createElement("li");
    const what = document.createElement("p");
    const name = Object.assign(document.createElement("strong"), { textContent: person.name });
    const since = Object.assign(document.createElement("span"), { className: "small",
      textContent: text(person.foreign ? "people.foreign" : "people.since",
        { date: date(person.enrolled), ...person.counts }) });
    what.append(name, since);
    const button = Object.assign(document.createElement("button"), { type: "button",
      className: "plain", textContent: text("forget.go"),
      onclick: () => ask(gallery, person, forgotten) });
    button.setAttribute("aria-label", text("forget.name", { name: person.name }));
    item.append(what, button);
    return item;
  }));
}

function ask(gallery, person, forgotten) {
  byId("forget-title").textContent = text("forget.title", { name: person.name });
  byId("forget").hidden = false;
  byId("forget-title").focus();
  byId("keep").onclick = () => {
    byId("forget").hidden = true;
  };
  byId("forget-go").onclick = async () => {
    await gallery.forget(person.id);
    await forgotten();
  };
}
