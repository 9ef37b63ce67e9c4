// The public API, asked with the session of the page.

const RETRY_SECONDS = 1;
const MOST_RETRY_SECONDS = 30;

// What an answer says that is no success. `code` is stable, `message` is for people, `fields` says
// what is wrong with which field. `status` is 0 where there was no answer.
export class ApiError extends Error {
  constructor(status, { code = "no_answer", message = "The service cannot be reached.", fields = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, fields });
  }
}

export function csrfToken() {
  const found = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return found ? found[1] : "";
}

// Counts past 2^53 come as BigInt, others as numbers.
export function parse(text) {
  return JSON.parse(text, (key, value, context) => {
    const isLarge = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "");
    return isLarge ? BigInt(context.source) : value;
  });
}

// Sends a request; the Response, whatever its status below 400. Raises ApiError.
// With `keepalive` it goes out even if the document is closed meanwhile.
export async function send(path, { method = "GET", body, headers = {}, signal, keepalive = false } = {}) {
  const fields = { Accept: "application/json", ...headers };
  if (method !== "GET") fields["X-CSRFToken"] = csrfToken();
  let response;
  try {
    response = await fetch(path, { method, body, headers: fields, signal, keepalive, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
  if (response.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (response.status >= 400) throw new ApiError(response.status, await refusal(response));
  return response;
}

async function refusal(response) {
  try {
    return parse(await response.text());
  } catch {
    return { code: `http_${response.status}`, message: `The service answered ${response.status}.` };
  }
}

// The JSON of a GET. 202 means that the answer is being prepared: it is asked for again.
export async function get(path, { signal } = {}) {
  for (;;) {
    const response = await send(path, { signal });
    if (response.status !== 202) return parse(await response.text());
    await pause(retryAfter(response), signal);
  }
}

export async function post(path, body, { signal } = {}) {
  const response = await send(path, { method: "POST", body, signal });
  const text = await response.text();
  return text ? parse(text) : null;
}

export async function remove(path) {
  await send(path, { method: "DELETE" });
}

// Asks for `path` as often as the service says, and calls `onChange` with each new answer, until
// that returns true or `signal` is aborted. Goes on, more and more slowly, while nobody answers;
// `onChange.away` is told of that, if it is there.
export async function poll(path, onChange, { signal, onAway = () => {} } = {}) {
  let etag = null;
  let failures = 0;
  while (!signal?.aborted) {
    let seconds = RETRY_SECONDS;
    try {
      const response = await send(path, { signal, headers: etag ? { "If-None-Match": etag } : {} });
      failures = 0;
      onAway(false);
      seconds = retryAfter(response);
      if (response.status === 200) {
        etag = response.headers.get("ETag");
        if (onChange(parse(await response.text()))) return;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.status !== 0 && error.status < 500 && error.status !== 429) throw error;
      failures += 1;
      onAway(true);
      seconds = Math.min(MOST_RETRY_SECONDS, 2 ** failures);
    }
    await pause(seconds, signal).catch(() => {});
  }
}

function retryAfter(response) {
  return Number(response.headers.get("Retry-After")) || RETRY_SECONDS;
}

export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    }, { once: true });
  });
}
