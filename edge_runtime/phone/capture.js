// Camera and microphone by getUserMedia. Sound comes as mono at 16 kHz, as the microphone gives it:
// without the browser's own noise suppression, which changes voices.

import { centred, SAMPLE_RATE } from "./sound.js";
import { Trouble } from "./trouble.js";

const KEPT_S = 10; // of sound

const WORDS = { NotAllowedError: "not_allowed", NotFoundError: "not_found",
  NotReadableError: "not_readable" };

/** Asks for camera and microphone, and opens both. video: the element that shows the camera. */
export async function openDevices(video) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false,
      channelCount: 1 },
  }).catch((error) => {
    throw new Trouble(WORDS[error.name] ?? "capture_failed", { message: error.message });
  });
  video.srcObject = stream;
  await video.play();
  return { camera: new Camera(video), microphone: await openMicrophone(stream), close: () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  } };
}

class Camera {
  #canvas = document.createElement("canvas");

  constructor(video) {
    this.video = video;
  }

  /** The picture of now, RGBA. */
  picture() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return null;
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
  const context = new AudioContext({ sampleRate: SAMPLE_RATE });
  await context.audioWorklet.addModule(new URL("sound-worklet.js", document.baseURI));
  const node = new AudioWorkletNode(context, "blocks", { numberOfOutputs: 0 });
  context.createMediaStreamSource(stream).connect(node);
  await context.resume();
  return new Microphone(node.port);
}

class Microphone {
  #kept = new Float32Array(KEPT_S * SAMPLE_RATE);
  #heard = 0; // samples since it was opened

  constructor(port) {
    port.onmessage = ({ data }) => {
      this.#kept.copyWithin(0, data.length);
      this.#kept.set(data, this.#kept.length - data.length);
      this.#heard += data.length;
    };
  }

  /** The last seconds of sound, without a constant; less where there was less. */
  last(seconds) {
    const wanted = Math.round(Math.min(seconds, KEPT_S) * SAMPLE_RATE);
    const there = Math.min(wanted, this.#heard);
    return centred(this.#kept.slice(this.#kept.length - there));
  }
}
