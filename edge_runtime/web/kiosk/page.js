// Small helpers for the elements of index.html.

export const element = (id) => document.getElementById(id);

/** Writes only what changes, so that screen readers do not say it again and again. */
export function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

/** A meter's bar and its value: share is 0 to 1. */
export function setMeter(meter, value, share) {
  meter.setAttribute("aria-valuenow", value);
  meter.firstElementChild.style.width = `${100 * share}%`;
}

/** Runs `work` unless the button still waits for it. It is not disabled: that would take the
    keyboard's focus away. */
export async function whileBusy(button, work) {
  if (button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}
