// What to say for the codes that the kiosk gives.

import {has, text} from "./shared/language.js";

/** The text of a code of the runtime, such as `reason.disagreement`; "" for no code. */
export function coded(kind, code) {
  if (!code) return "";
  return has(`${kind}.${code}`) ? text(`${kind}.${code}`) : code.replaceAll("_", " ");
}

/** What to say about a Refusal of server.js: by its reason or status, else what the kiosk said. */
export function refusal(error) {
  const key = [error.reason, error.status].map((code) => `refused.${code}`).find(has);
  return key ? text(key) : error.message;
}
