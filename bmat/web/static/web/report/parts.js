// Small parts that several sections of a report are made of.

import { announce, fill, h } from "../dom.js";

const COPIED_MS = 2_000;

export function section(name, heading, ...children) {
  const id = `${name}-heading`;
  return h(`section.${name}.stack`, { "aria-labelledby": id }, h("h2", { id, tabindex: "-1" }, heading), children);
}

// A heading with what belongs to it at the other end of its line.
export function headed(name, heading, beside, ...children) {
  const id = `${name}-heading`;
  return h(`section.${name}.stack`, { "aria-labelledby": id }, h("div.section-head", {}, h("h2", { id }, heading), beside), children);
}

// A choice of a few that are all seen: radio buttons side by side.
export function segmented(name, legend, choices, value, onChoose) {
  return h("fieldset.segments", {}, h("legend.visually-hidden", {}, legend),
    Object.entries(choices).map(([choice, text]) => h("label.segment", {},
      h("input", { type: "radio", name, value: choice, checked: choice === value, onchange: () => onChoose(choice) }),
      h("span", {}, text))));
}

export function choose(label, name, choices, value, onChoose) {
  return h("label.choice", {}, h("span", {}, label),
    h("select", { name, onchange: (event) => onChoose(event.target.value) },
      Object.entries(choices).map(([choice, text]) => h("option", { value: choice, selected: choice === value }, text))));
}

// For a link to another place of this page: a jump, and no new view.
export function jump(event) {
  event.preventDefault();
  const heading = document.querySelector(event.currentTarget.hash)?.closest("section")?.querySelector("h2");
  heading?.focus({ preventScroll: true });
  heading?.scrollIntoView();
}

// A bar that is a `share`, 0 to 1, of its place.
export function bar(share, kind = "") {
  const filled = h("span");
  filled.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return h(`div.share-bar${kind}`, { "aria-hidden": "true" }, filled);
}

// A button that opens a card under it, which another click, Escape or a click elsewhere closes.
export function menu(label, ...children) {
  const element = h("details.menu", {}, h("summary.button", {}, label, chevron()), h("div.menu-card", {}, children));
  const close = (event) => {
    if (!element.isConnected) return document.removeEventListener("click", close);
    return element.contains(event.target) || (element.open = false);
  };
  document.addEventListener("click", close);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !element.open) return;
    element.open = false;
    element.querySelector("summary").focus();
  });
  return element;
}

function chevron() {
  return h("svg", { viewBox: "0 0 12 12", width: "12", height: "12", "aria-hidden": "true" },
    h("path", { d: "M2.5 4.5 6 8l3.5-3.5", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

export function cross() {
  return h("svg", { viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" },
    h("path", { d: "M4 4l8 8M12 4l-8 8", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round" }));
}

// A text to be copied, in the type of code.
export function copyable(text, label = "Copy") {
  const code = h("code.copy-text", { tabindex: "0" }, text);
  const button = h("button.button", { type: "button", onclick: copy }, label);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      announce("Copied.");
      setTimeout(() => { button.textContent = label; }, COPIED_MS);
    } catch {
      // Where the browser lets no page copy, the text is selected, for a person to do it.
      getSelection().selectAllChildren(code);
    }
  }
  return h("div.copy", {}, code, button);
}

// Asks before something that cannot be undone; true where somebody says yes.
export function confirmed(question, about, verb) {
  return new Promise((resolve) => {
    const dialog = h("dialog.ask", { "aria-labelledby": "ask-title", onclose: () => { dialog.remove(); resolve(dialog.returnValue === "yes"); } },
      h("form.stack", { method: "dialog" },
        h("h2", { id: "ask-title" }, question), h("p.soft", {}, about),
        h("div.row.ask-buttons", {},
          h("button.button", { value: "no" }, "Keep it"),
          h("button.button.primary.is-bad", { value: "yes" }, verb))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

// A failed question, with a way to ask it again.
export function trouble(error, again) {
  return h("div.alert.spread", { role: "alert" }, h("span", {}, error.message), again && h("button.button", { type: "button", onclick: again }, "Try again"));
}

// Calls `work(signal)` some time after the last call; what an earlier call does is aborted.
export function latest(work, milliseconds, signal) {
  let own = null;
  let timer = 0;
  return ({ isAtOnce = false, pause = milliseconds } = {}) => {
    own?.abort();
    clearTimeout(timer);
    if (signal.aborted) return;
    own = new AbortController();
    const { signal: ownSignal } = own;
    signal.addEventListener("abort", () => own.abort(), { once: true });
    timer = setTimeout(() => work(ownSignal), isAtOnce ? 0 : pause);
  };
}

// The main name of a key, then its other fields.
export function keyText(names, key) {
  const main = names.includes("song") ? names.indexOf("song") : 0;
  const others = key.filter((text, index) => index !== main && text);
  return { main: key[main] || "(empty)", others: others.join(" · ") };
}

// A link to the curve of a key, in place. A title that is written from right to left begins at
// its right end, and is cut at its left.
export function keyLink(state, key) {
  const { main, others } = keyText(state.keyNames, key);
  const follow = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    state.openKey(key);
  };
  return h("a.key-link", { href: state.keyAddress(key), dir: others ? "ltr" : "auto", title: others ? `${main} · ${others}` : main, onclick: follow }, h("bdi", {}, main), others && h("span.faint", {}, ` ${others}`));
}

export { fill, h };
