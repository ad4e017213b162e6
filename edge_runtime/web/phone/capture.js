// Camera and microphone by getUserMedia. Sound comes as mono at 16 kHz, as the microphone gives it:
// without the browser's own noise suppression, which changes voices.

import parameters from "./shared/parameters.js";
import { centred } from "./sound.js";
import { Trouble } from "./trouble.js";

const KEPT_S = 10; // of sound
const { SAMPLE_RATE_HZ, STALE_S } = parameters.capture;

const VIDEO = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } };
const AUDIO = { echoCancellation: false, noiseSuppression: false, autoGainControl: false,
  channelCount: 1 };
const WORDS = { NotAllowedError: "not_allowed", NotFoundError: "not_found",
  NotReadableError: "not_readable" };
const nowS = () => performance.now() / 1000;

/** Asks for camera and microphone, and opens both; microphone is null where there is none, or it is
 *  refused: a face alone will do. video: the element that shows the camera. Throws Trouble where
 *  the camera does not open. */
export async function openDevices(video) {
  const stream = await asked({ video: VIDEO, audio: AUDIO })
    .catch(() => asked({ video: VIDEO })).catch((error) => {
      throw new Trouble(WORDS[error.name] ?? "capture_failed", { message: error.message });
    });
  video.srcObject = stream;
  await video.play();
  const microphone = await openMicrophone(stream).catch(() => null);
  return new Devices(stream, new Camera(video), microphone);
}

const asked = (wanted) => navigator.mediaDevices.getUserMedia(wanted);

class Devices {
  #stream;
  #microphone;

  constructor(stream, camera, microphone) {
    this.#stream = stream;
    this.camera = camera;
    this.#microphone = microphone;
  }

  /** Null without one, or once it is gone. */
  get microphone() {
    return this.#ended("audio") ? null : this.#microphone;
  }

  /** What is to be said of them: a word, or null where both are well. */
  get trouble() {
    if (this.#ended("video")) return "camera_lost";
    if (this.camera.stalled) return "camera_stalled";
    if (this.#ended("audio")) return "microphone_lost";
    return this.#microphone ? null : "no_microphone";
  }

  /** Whether one that was there is gone, so that they have to be opened anew. */
  get lost() {
    return this.#ended("video") || this.#ended("audio");
  }

  close() {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#microphone?.close();
  }

  #ended(kind) {
    return this.#stream.getTracks().some(
      (track) => track.kind === kind && track.readyState === "ended");
  }
}

class Camera {
  #canvas = document.createElement("canvas");
  #frameS = nowS(); // when the last picture came
  #askedS = nowS();

  constructor(video) {
    this.video = video;
    const next = () => {
      this.#frameS = nowS();
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }

  /** Whether nothing comes any more: what the element then shows is not of now. */
  get stalled() {
    return nowS() - this.#frameS > STALE_S;
  }

  /** The picture of now, RGBA; null where there is none. */
  picture() {
    if (nowS() - this.#askedS > STALE_S) this.#frameS = nowS(); // hidden pages are given none
    this.#askedS = nowS();
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || this.stalled) return null;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      Object.assign(this.#canvas, { width, height });
    }
    const context = this.#canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.video, 0, 0);
    return context.getImageData(0, 0, width, height);
  }

  /** The same picture, for whatever draws it. */
  get source() {
    return this.#canvas;
  }
}

async function openMicrophone(stream) {
  if (!stream.getAudioTracks().length) return null;
  const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ });
  await context.audioWorklet.addModule(new URL("sound-worklet.js", document.baseURI));
  const node = new AudioWorkletNode(context, "blocks", { numberOfOutputs: 0 });
  context.createMediaStreamSource(stream).connect(node);
  await context.resume();
  return new Microphone(node.port, () => context.close());
}

class Microphone {
  #kept = new Float32Array(KEPT_S * SAMPLE_RATE_HZ);
  #heard = 0; // samples since it was opened

  constructor(port, close) {
    this.close = close;
    port.onmessage = ({ data }) => {
      this.#kept.copyWithin(0, data.length);
      this.#kept.set(data, this.#kept.length - data.length);
      this.#heard += data.length;
    };
  }

  /** The last seconds of sound, without a constant; less where there was less. */
  last(seconds) {
    const wanted = Math.round(Math.min(seconds, KEPT_S) * SAMPLE_RATE_HZ);
    const there = Math.min(wanted, this.#heard);
    return centred(this.#kept.slice(this.#kept.length - there));
  }
}
