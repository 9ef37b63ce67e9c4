// How fast bytes go, and how long the rest will take.

import { bytes, duration } from "../format.js";

const WINDOW_SECONDS = 8;

export class Meter {
  #samples = [];

  // `sent` bytes have gone out by now.
  note(sent) {
    const now = performance.now() / 1000;
    if (this.#samples.length && sent < this.#samples.at(-1)[1]) this.#samples = [];
    this.#samples.push([now, sent]);
    while (this.#samples.length > 2 && now - this.#samples[0][0] > WINDOW_SECONDS) this.#samples.shift();
  }

  forget() {
    this.#samples = [];
  }

  // Bytes a second; null while too little is known.
  get rate() {
    if (this.#samples.length < 2) return null;
    const [[start, before], [end, now]] = [this.#samples[0], this.#samples.at(-1)];
    return end - start < 0.5 ? null : (now - before) / (end - start);
  }
}

// "1.2 GB of 4 GB, 25 MB/s, 2 min 3 s left"
export function progressText(sent, total, rate) {
  const parts = [`${bytes(sent)} of ${bytes(total)}`];
  if (rate) {
    parts.push(`${bytes(rate)}/s`);
    parts.push(`${duration(Math.max(1, (total - sent) / rate))} left`);
  }
  return parts.join(" · ");
}
