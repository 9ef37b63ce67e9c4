// Two reports that somebody has picked to be compared.

import { fill, h } from "../dom.js";

// A bar at the bottom: call `show(reports)` with those that are picked, at most two.
export function compareBar(onClear) {
  const element = h("aside.compare-bar", { "aria-label": "Compare", hidden: true });
  const show = (picked) => {
    element.hidden = !picked.length;
    const [earlier, later] = [...picked].sort((one, other) => one.created.localeCompare(other.created));
    fill(element,
      h("span.compare-names", {}, later ? `${later.input_name} with ${earlier.input_name}` : "Pick another report to compare it with."),
      h("div.row", {},
        h("button.link", { type: "button", onclick: onClear }, "Clear"),
        later && h("a.button.primary", { href: `/reports/${later.pid}/compare/${earlier.pid}` }, "Compare")));
  };
  return { element, show };
}
