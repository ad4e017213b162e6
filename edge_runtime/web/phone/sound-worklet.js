// Gathers the 128 samples at a time that a browser gives, and hands on a tenth of a second.

class Blocks extends AudioWorkletProcessor {
  #block = new Float32Array(1600);
  #filled = 0;

  process([[channel]]) {
    if (!channel) return true;
    for (const sample of channel) {
      this.#block[this.#filled++] = sample;
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("blocks", Blocks);
