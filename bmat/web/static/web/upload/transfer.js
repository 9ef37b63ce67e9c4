// Bytes to the service: small uploads as one request, others in parts, by tus 1.0.0, which go on
// where they were. https://tus.io/protocols/resumable-upload

import { ApiError, csrfToken, parse, pause, send as ask } from "../api.js";

const SMALL_BYTES = 4_000_000;
// Proxies may refuse more in one request.
const CHUNK_BYTES = 16 * 2 ** 20;
const STALLED_SECONDS = 60;
const ENDPOINT = "/api/uploads/";

// Sends the files of `upload`; the pid of their report. `onProgress(bytes)` is told how many have
// gone out, `onAddress(index, url)` where file number `index` goes on, from `upload.urls` the next
// time. Nothing is counted twice, however often it is called. Raises ApiError.
export function send(upload, { onProgress, onAddress, signal }) {
  if (upload.total <= SMALL_BYTES) return sendForm(upload, onProgress, signal);
  return upload.files.length === 1
    ? sendParts(upload, 0, metadataOf(upload.files[0], upload.options), { onProgress, onAddress, signal })
    : sendSeveral(upload, { onProgress, onAddress, signal });
}

function sendForm({ id, files, options }, onProgress, signal) {
  const form = new FormData();
  for (const file of files) form.append("input_file", file, file.name);
  for (const [name, value] of Object.entries(options)) form.append(name, value);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/reports/");
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), "Idempotency-Key": id };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      if (request.status === 201) resolve(parse(request.responseText).pid);
      else reject(refusal(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new ApiError(0));
    signal.addEventListener("abort", () => {
      request.abort();
      reject(new DOMException("aborted", "AbortError"));
    }, { once: true });
    request.send(form);
  });
}

const metadataOf = (file, options) => ({ filename: file.name, ...options });

// Each file by itself, then the report of all.
async function sendSeveral(upload, { onProgress, onAddress, signal }) {
  const form = new FormData();
  let before = 0;
  for (const [index, file] of upload.files.entries()) {
    const start = before;
    await sendParts(upload, index, { filename: file.name, report: "no" }, {
      onProgress: (bytes) => onProgress(start + bytes), onAddress, signal,
    });
    form.append("upload", upload.urls[index].split("/").filter(Boolean).at(-1));
    before += file.size;
    onProgress(before);
  }
  for (const [name, value] of Object.entries(upload.options)) form.append(name, value);
  const response = await ask("/api/reports/", { method: "POST", body: form, signal, headers: { "Idempotency-Key": upload.id } });
  return parse(await response.text()).pid;
}

// One file; the pid of the report that it has become, or null where it becomes none by itself.
async function sendParts(upload, index, metadata, { onProgress, onAddress, signal }) {
  const tus = await library();
  let pid = null;
  await new Promise((resolve, reject) => {
    let moved = performance.now();
    const end = (settle, value) => {
      clearInterval(watch);
      settle(value);
    };
    const stop = (error) => {
      sending.abort();
      end(reject, error);
    };
    const sending = new tus.Upload(upload.files[index], {
      endpoint: ENDPOINT,
      uploadUrl: upload.urls[index] ?? null,
      chunkSize: CHUNK_BYTES,
      // When to go on is decided by whoever called.
      retryDelays: null,
      storeFingerprintForResuming: false,
      metadata,
      onBeforeRequest: (request) => {
        request.setHeader("X-CSRFToken", csrfToken());
        // Where the answer is lost, the same upload is found again; where it was removed, another
        // one takes its place.
        const again = upload.urls[index] ? `-${Date.now()}` : "";
        if (request.getMethod() === "POST") request.setHeader("Idempotency-Key", `${upload.id}-${index}${again}`);
      },
      onAfterResponse: (request, response) => {
        pid = response.getHeader("Bmat-Report") ?? pid;
        const offset = Number(response.getHeader("Upload-Offset") ?? NaN);
        if (request.getMethod() === "HEAD" && Number.isSafeInteger(offset)) onProgress(offset);
      },
      onUploadUrlAvailable: () => onAddress(index, sending.url),
      onProgress: (bytes) => {
        moved = performance.now();
        onProgress(bytes);
      },
      onSuccess: () => end(resolve),
      onError: (error) => end(reject, error.originalResponse
        ? refusal(error.originalResponse.getStatus(), error.originalResponse.getBody(), error.originalResponse.getHeader("Retry-After"))
        : new ApiError(0)),
    });
    const watch = setInterval(() => {
      if (performance.now() - moved > STALLED_SECONDS * 1000) stop(new ApiError(0));
    }, 1000);
    signal.addEventListener("abort", () => stop(new DOMException("aborted", "AbortError")), { once: true });
    sending.start();
  });
  if (metadata.report === "no" || pid) return pid;
  return reportOf(upload.urls[index], signal);
}

// The report of a whole upload that has to wait for one: its owner has as many as are allowed.
async function reportOf(url, signal) {
  for (let seconds = 1; ; seconds = Math.min(30, 2 * seconds)) {
    const response = await ask(url, { method: "HEAD", signal, headers: { "Tus-Resumable": "1.0.0" } });
    const pid = response.headers.get("Bmat-Report");
    if (pid) return pid;
    await pause(seconds, signal);
  }
}

// Removes what has arrived of an upload that nobody wants any more.
export function discard(urls) {
  for (const url of urls.filter(Boolean)) {
    ask(url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {});
  }
}

async function library() {
  await import("../vendor/tus-js-client-4.3.1/tus.min.js");
  return globalThis.tus;
}

function refusal(status, text, retryAfter) {
  let told;
  try {
    told = parse(text);
  } catch {
    told = { code: `http_${status}`, message: `The service answered ${status}.` };
  }
  const error = new ApiError(status, told);
  error.retrySeconds = Number(retryAfter) || 0;
  return error;
}

// Whether the same may succeed later, without anybody doing anything.
export function isPassing({ status, code }) {
  return status === 0 && code === "no_answer" || status === 408 || status === 423 || status === 429 && code !== "too_many_bytes"
    || status >= 500 && status !== 507 || code === "upload_offset_mismatch";
}
