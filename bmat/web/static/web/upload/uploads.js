// The uploads of this document, whatever page is shown. Each is sent once, by one tab; it goes on
// after a lost network, a restarted service, and a reload.

import { get, poll, remove } from "../api.js";
import { Meter } from "./meter.js";
import * as store from "./store.js";
import { discard, isPassing, send } from "./transfer.js";

const MOST_AT_ONCE = 2;
const MOST_PAUSE_SECONDS = 30;
// How soon a report is asked about at first: a small one is done within a second.
const FIRST_LOOKS_SECONDS = [0.1, 0.15, 0.25, 0.5];

const uploads = [];
const listeners = new Set();

export const all = () => uploads.filter((upload) => upload.state !== "elsewhere");

// Calls `listener` after each change, until `signal` is aborted.
export function listen(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener), { once: true });
}

function changed(upload) {
  for (const listener of listeners) listener(upload);
}

// `state` is one of
//   waiting    for its turn
//   sending    its bytes
//   away       nobody answers: it goes on by itself
//   wanted     its file is not kept: the same one has to be chosen again
//   elsewhere  another tab sends it
//   received   its report is processed: see `report`
//   ended      so is its report
//   refused    see `error`
class Upload {
  constructor(record, files) {
    Object.assign(this, {
      urls: [], sent: 0, ...record, files, state: files ? "waiting" : "wanted",
      report: null, error: null, isKept: false, isOffline: false, isAway: false, isResumed: false, isLocated: false,
    });
    this.meter = new Meter();
    this.control = new AbortController();
  }

  get title() {
    return this.names.length === 1 ? this.names[0] : `${this.names[0]} and ${this.names.length - 1} more`;
  }

  get isActive() {
    return ["waiting", "sending", "away", "received"].includes(this.state);
  }

  get share() {
    return this.total ? Math.min(1, this.sent / this.total) : 0;
  }

  // The same content, read in the same way, by the same person.
  get fingerprint() {
    return JSON.stringify(["bmat", this.owner, this.names, this.sizes, this.modified, this.options]);
  }

  get record() {
    const { id, owner, names, sizes, modified, total, options, urls, sent, created } = this;
    return { id, owner, names, sizes, modified, total, options, urls, sent, created };
  }

  set(values) {
    Object.assign(this, values);
    changed(this);
  }
}

// Sends files as one report.
export function add(files, options) {
  const upload = new Upload({
    id: newId(),
    owner: document.body.dataset.user,
    names: files.map((file) => file.name),
    sizes: files.map((file) => file.size),
    modified: files.map((file) => file.lastModified),
    total: files.reduce((sum, file) => sum + file.size, 0),
    options,
    created: Date.now(),
  }, files);
  uploads.push(upload);
  changed(upload);
  keep(upload);
  begin();
  return upload;
}

async function keep(upload) {
  await store.keep(upload.record);
  upload.isKept = await store.keepFiles(upload.id, upload.files);
  // It may be through, or given up, by now.
  if (!upload.isActive || upload.state === "received") await store.forget(upload.id);
}

// Goes on with what an earlier document has left.
export async function restore() {
  const held = (await navigator.locks?.query())?.held.map((lock) => lock.name) ?? [];
  for (const record of await store.all()) {
    if (record.owner !== document.body.dataset.user || uploads.some((upload) => upload.id === record.id)) continue;
    const files = await store.files(record.id);
    const upload = new Upload(record, files);
    Object.assign(upload, { isResumed: true, isKept: Boolean(files), isFollowed: location.pathname === "/" });
    uploads.push(upload);
    if (held.includes(upload.fingerprint)) {
      upload.state = "elsewhere";
      takeOver(upload);
    }
    changed(upload);
  }
  begin();
}

// Takes those of `files` that an upload waits for; the others.
export function claim(files) {
  let rest = [...files];
  for (const upload of uploads.filter((one) => one.state === "wanted")) {
    const found = upload.names.map((name, index) => rest.find((file) =>
      file.name === name && file.size === upload.sizes[index] && file.lastModified === upload.modified[index]));
    if (found.some((file) => !file)) continue;
    rest = rest.filter((file) => !found.includes(file));
    upload.set({ files: found, state: "waiting" });
  }
  begin();
  return rest;
}

function begin() {
  const running = uploads.filter((upload) => upload.state === "sending" || upload.state === "away").length;
  for (const upload of uploads.filter((one) => one.state === "waiting").slice(0, Math.max(0, MOST_AT_ONCE - running))) run(upload);
}

async function run(upload) {
  upload.set({ state: "sending" });
  try {
    await alone(upload, () => transfer(upload));
  } catch (error) {
    if (error.name === "AbortError") return;
    await store.forget(upload.id);
    upload.set({ state: "refused", error });
  } finally {
    begin();
  }
  if (upload.pid) follow(upload);
}

// Does the work unless another tab is at it; an upload that was found is taken over when that ends.
// Browsers have locks where the connection is safe from others.
async function alone(upload, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(upload.fingerprint, { ifAvailable: true }, async (lock) => {
    if (lock) return work();
    if (upload.isResumed) takeOver(upload);
    upload.set({ state: upload.isResumed ? "elsewhere" : "refused", error: { message: "Another tab is uploading this already." } });
    if (!upload.isResumed) await store.forget(upload.id);
    return null;
  });
}

// Goes on with it once the other tab has let go of it, if there is anything left to do.
async function takeOver(upload) {
  await navigator.locks.request(upload.fingerprint, async () => {
    const record = (await store.all()).find((one) => one.id === upload.id);
    if (!record) return dismiss(upload);
    const files = await store.files(upload.id);
    return Object.assign(upload, record, { files, isKept: Boolean(files) });
  });
  if (!uploads.includes(upload)) return;
  upload.set({ state: upload.files ? "waiting" : "wanted" });
  begin();
}

async function transfer(upload) {
  const pid = await sent(upload);
  upload.set({ pid, state: "received", sent: upload.total });
  await store.forget(upload.id);
}

// The report's pid, once all bytes are there: however long nobody answers.
async function sent(upload) {
  const { signal } = upload.control;
  for (let failures = 0; ; failures += 1) {
    const before = upload.sent;
    try {
      return await send(upload, {
        signal,
        onProgress: (bytes) => progress(upload, bytes),
        onAddress: (index, url) => {
          upload.urls[index] = url;
          store.keep(upload.record);
        },
      });
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      if (upload.sent > before) failures = 0;
      upload.meter.forget();
      upload.set({ state: "away", isOffline: !navigator.onLine });
      await rest(Math.max(error.retrySeconds ?? 0, Math.min(MOST_PAUSE_SECONDS, 2 ** failures)), signal);
    }
  }
}

function progress(upload, bytes) {
  const sentBytes = Math.min(bytes, upload.total);
  upload.meter.note(sentBytes);
  if (!upload.isLocated) Object.assign(upload, { isLocated: true, begun: performance.now() });
  if (Date.now() - (upload.keptAt ?? 0) > 1000) {
    upload.keptAt = Date.now();
    store.keep({ ...upload.record, sent: sentBytes });
  }
  upload.set({ sent: sentBytes, state: "sending" });
}

// A pause that ends when the network is back.
function rest(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (settle) => () => {
      clearTimeout(timer);
      removeEventListener("online", back);
      settle();
    };
    const back = end(resolve);
    const timer = setTimeout(back, seconds * 1000);
    addEventListener("online", back);
    signal.addEventListener("abort", end(() => reject(new DOMException("aborted", "AbortError"))), { once: true });
  });
}

async function follow(upload) {
  const { signal } = upload.control;
  const path = `/api/reports/${upload.pid}`;
  const look = (report) => {
    upload.set({ report, state: report.status === 0 ? "received" : "ended" });
    return report.status !== 0;
  };
  try {
    for (const seconds of FIRST_LOOKS_SECONDS) {
      await rest(seconds, signal);
      const report = await get(path, { signal }).catch((error) => { if (!isPassing(error)) throw error; });
      if (report && look(report)) return;
    }
    await poll(path, look, { signal, onAway: (isAway) => isAway !== upload.isAway && upload.set({ isAway }) });
  } catch (error) {
    // It was deleted, most likely.
    if (error.name !== "AbortError") dismiss(upload);
  }
}

// Ends an upload, and its report where there is one, or takes away what is left of it.
export async function cancel(upload) {
  upload.control.abort();
  await store.forget(upload.id);
  if (upload.pid) await remove(`/api/reports/${upload.pid}`).catch(() => {});
  else discard(upload.urls);
  dismiss(upload);
  begin();
}

// Shows it no longer.
export function dismiss(upload) {
  const at = uploads.indexOf(upload);
  if (at >= 0) uploads.splice(at, 1);
  changed(upload);
}

function newId() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

addEventListener("beforeunload", (event) => {
  const wouldBeLost = (upload) => ["waiting", "sending", "away"].includes(upload.state) && !upload.isKept;
  if (uploads.some(wouldBeLost)) event.preventDefault();
});
