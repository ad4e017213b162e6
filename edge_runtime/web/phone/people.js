// The list of people enrolled on this phone, and forgetting.

import { element } from "./shared/elements.js";
import { language, text } from "./shared/language.js";


/** forgotten(): called when somebody was. */
export async function showPeople(gallery, forgotten) {
  const people = await gallery.people();
  element("forget").hidden = true;
  element("people-note").textContent = people.length
    ? text("people.count", { count: people.length }) : text("people.none");
  element("list").replaceChildren(...people.map((person) => {
    const item = document.createElement("li");
    const what = document.createElement("p");
    const name = Object.assign(document.createElement("strong"), { textContent: person.name });
    const since = Object.assign(document.createElement("span"), { className: "small",
      textContent: text(person.foreign ? "people.foreign" : "people.since",
        { date: day(person.enrolled), ...person.counts }) });
    what.append(name, since);
    const button = Object.assign(document.createElement("button"), { type: "button",
      className: "plain", textContent: text("forget.go"),
      onclick: () => ask(gallery, person, forgotten) });
    button.setAttribute("aria-label", text("forget.name", { name: person.name }));
    item.append(what, button);
    return item;
  }));
}

function day(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(new Date(iso));
}

function ask(gallery, person, forgotten) {
  element("forget-title").textContent = text("forget.title", { name: person.name });
  element("forget").hidden = false;
  element("forget-title").focus();
  element("keep").onclick = () => {
    element("forget").hidden = true;
  };
  element("forget-go").onclick = async () => {
    await gallery.forget(person.id);
    await forgotten();
  };
}
