// The kiosk's REST API and its events.

const AGAIN_MS = 1000; // before the next attempt to connect
const SILENT_MS = 3000; // without a message, after which a connection is taken for dead

let token = null; // in memory alone: closing or leaving the administration forgets it

/** Where a path of the kiosk is, also under a prefix that a proxy shows it by. */
export const at = (path) => new URL(`..${path}`, import.meta.url);

export const hasToken = () => token !== null;
export const setToken = (value) => { token = value; };

/** What the kiosk refused. status: HTTP's, or 0 where it cannot be reached. reason: a word, or
    null. */
export class Refusal extends Error {
  constructor(status, message, reason = null) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** Calls the API, with the token where there is one. Returns the answer's JSON. */
export async function call(method, path, content) {
  const headers = {};
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (content !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    // keepalive: an enrolment is cancelled also where the page is closed.
    response = await fetch(
      at(path), {method, headers, body: JSON.stringify(content), keepalive: true});
  } catch {
    throw new Refusal(0, "");
  }
  if (!response.ok) throw await refusalOf(response);
  return response.json().catch(() => null);
}

async function refusalOf(response) {
  const answer = await response.json().catch(() => null);
  return new Refusal(response.status, String(answer?.detail ?? response.statusText),
                     answer?.reason);
}

/** Why a stream is refused, which an <img> is not told; null where it is not. */
export async function whyRefused(path) {
  const asking = new AbortController();
  try {
    const response = await fetch(at(path), {signal: asking.signal});
    return response.ok ? null : await refusalOf(response);
  } catch {
    return null; // the kiosk is away, which is said already
  } finally {
    asking.abort();
  }
}

/** Listens for as long as the page is open, and connects again whenever the server went away. */
export function listen({onMessage, onOpen, onLost}) {
  const address = at("/api/events");
  address.protocol = location.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  let watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.close(), SILENT_MS);
  };
  alive();
  socket.onopen = () => { alive(); onOpen(); };
  socket.onmessage = (event) => { alive(); onMessage(JSON.parse(event.data)); };
  socket.onclose = () => {
    clearTimeout(watchdog);
    onLost();
    setTimeout(listen, AGAIN_MS, {onMessage, onOpen, onLost});
  };
}
