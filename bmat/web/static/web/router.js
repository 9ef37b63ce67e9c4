// From addresses to views. A link within the page changes the view, not the document: so that
// uploads go on.
//
// The views import this module, and it imports none of them: names of files that change with what
// the files hold allow no circles.

import { fill, h } from "./dom.js";

const root = document.getElementById("main");
let current = null;
let routes = [];

// Shows the address of the document, and from then on those of its links. `all` are patterns of
// paths, each with what loads its view: see routes.js.
export function start(all) {
  routes = all;
  document.addEventListener("click", follow);
  addEventListener("popstate", () => draw());
  return draw();
}

// Shows the address `path`, as if its link had been followed.
export function go(path) {
  history.pushState(null, "", path);
  return draw({ isNew: true });
}

export function title(text) {
  document.title = text ? `${text} · bmat` : "bmat";
}

function match(path) {
  for (const [pattern, load] of routes) {
    const found = pattern.exec(path);
    if (found) return { load, parameters: found.slice(1) };
  }
  return null;
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !match(url.pathname)) return;
  event.preventDefault();
  go(url.pathname + url.search);
}

async function draw({ isNew = false } = {}) {
  current?.abort();
  const own = (current = new AbortController());
  const found = match(location.pathname);
  if (!found) return;
  try {
    const view = await found.load();
    if (own.signal.aborted) return;
    fill(root);
    title("");
    await view.show(root, found.parameters, { signal: own.signal, query: new URLSearchParams(location.search) });
    if (isNew && !own.signal.aborted) {
      scrollTo(0, 0);
      root.focus({ preventScroll: true });
    }
  } catch (error) {
    if (own.signal.aborted || error.name === "AbortError") return;
    fill(root, h("div.alert", { role: "alert" }, error.message));
  }
}
