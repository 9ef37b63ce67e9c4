// The list of reports as it changes: asked for often while something is processed, seldom else,
// and not at all while nobody looks.

import { parse, send } from "../api.js";

const BUSY_SECONDS = 1;
const QUIET_SECONDS = 15;
const MOST_PAUSE_SECONDS = 30;

export class Live {
  #etag = null;
  #path = "";
  #wake = () => {};
  page = null;

  // `pathOf()` is what to ask for, `onPage(page)` gets each new answer, `onAway(isAway)` is told
  // whether nobody answers.
  constructor({ pathOf, onPage, onAway, signal }) {
    Object.assign(this, { pathOf, onPage, onAway, signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.now(), { signal });
  }

  // Asks at once.
  now() {
    this.#wake();
  }

  async run() {
    let failures = 0;
    while (!this.signal.aborted) {
      let seconds = QUIET_SECONDS;
      try {
        const page = await this.#ask();
        failures = 0;
        this.onAway(false);
        if (page) this.page = page;
        // An unchanged one is older by now.
        if (this.page) this.onPage(this.page);
        if (this.page?.results.some((report) => report.status === 0)) seconds = BUSY_SECONDS;
      } catch (error) {
        if (this.signal.aborted) return;
        if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
        failures += 1;
        this.onAway(true);
        seconds = Math.min(MOST_PAUSE_SECONDS, 2 ** failures);
      }
      await this.#rest(seconds);
    }
  }

  async #ask() {
    const path = this.pathOf();
    if (path !== this.#path) {
      [this.#path, this.#etag] = [path, null];
      this.page = null;
    }
    const headers = this.#etag ? { "If-None-Match": this.#etag } : {};
    const response = await send(path, { signal: this.signal, headers });
    // Somebody has asked for something else meanwhile.
    if (response.status !== 200 || path !== this.pathOf()) return null;
    this.#etag = response.headers.get("ETag");
    return parse(await response.text());
  }

  // Until it is time, and somebody looks.
  #rest(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => document.hidden || this.#wake(), seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.signal.addEventListener("abort", this.#wake, { once: true });
    });
  }
}
