// Sorts tables by the number or the words in a column, and switches light and dark.
"use strict";

const NUMBER = /^[+-]?[\d,]*\.?\d+(e[+-]?\d+)?/;

function valueOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const found = NUMBER.exec(text);
  return found ? Number(found[0].replaceAll(",", "")) : text;
}

function compare(a, b) {
  if (typeof a === typeof b) {
    return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  }
  return typeof a === "number" ? -1 : 1; // what has no number comes last
}

function sort(table, heading) {
  const rising = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) {
    other.removeAttribute("aria-sort");
  }
  heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((one, two) => {
    const [a, b] = [valueOf(one, heading.cellIndex), valueOf(two, heading.cellIndex)];
    return typeof a === typeof b && !rising ? compare(b, a) : compare(a, b);
  });
  body.append(...rows);
}

for (const table of document.querySelectorAll("table")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading));
  }
  for (const cell of table.querySelectorAll("td")) {
    if (cell.textContent.length > 60) {
      cell.classList.add("words");
    }
  }
}

const theme = document.getElementById("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const say = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.hidden = false;
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  say();
});
dark.addEventListener("change", say);
say();
