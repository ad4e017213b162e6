// Buttons that wait for the kiosk.

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
