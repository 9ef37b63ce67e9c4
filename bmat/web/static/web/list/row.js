// A report in the list.

import { fill, h } from "../dom.js";
import { ago, bytes, compact, count, counted, duration, share, time } from "../format.js";

export const COLUMNS = 9;
const STAGES = { queued: "Waiting", reading: "Reading", merging: "Adding up", writing: "Writing" };
const STATES = { done: "Done", failed: "Failed", cancelled: "Cancelled" };
const SHAPES = {
  bin: "M3.5 5h9M6.5 5V3.5h3V5M5 5l.5 7.5h5L11 5",
  again: "M12.5 8a4.5 4.5 0 1 1-1.4-3.3M12.5 2.5v2.7H9.8",
  stop: "M4.5 4.5h7v7h-7z",
};

// A row that shows its report as it is: call `update(report)` after each change. `acts` are what can
// be done: cancel, retry, remove, each with the report; `pick(report, isPicked)`.
export function row(report, acts) {
  const element = h("tr");
  let shown = "";
  const view = {
    element,
    report,
    update(next, isPicked) {
      view.report = next;
      const now = JSON.stringify([next, isPicked, ago(next.created)], (_key, value) => (typeof value === "bigint" ? String(value) : value));
      if (now === shown) return;
      shown = now;
      keepingFocus(element, () => draw(element, next, isPicked, acts));
    },
  };
  return view;
}

// The same control has the focus afterwards, where it is still there.
function keepingFocus(element, work) {
  const name = element.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") ?? "" : null;
  work();
  if (name === null) return;
  const controls = [...element.querySelectorAll("a, button, input")];
  (controls.find((control) => (control.getAttribute("aria-label") ?? "") === name) ?? controls.at(0))?.focus();
}

function draw(element, report, isPicked, acts) {
  const isDone = report.state === "done";
  const hasRun = isDone || report.rows_read > 0;
  element.className = `is-${report.state}${isPicked ? " is-picked" : ""}`;
  fill(element,
    h("td.list-pick", {}, isDone && h("input", { type: "checkbox", checked: isPicked, "aria-label": `Compare ${report.input_name}`, onchange: (event) => acts.pick(report, event.target.checked) })),
    h("td.list-name", {},
      h("a", { href: `/reports/${report.pid}`, title: report.input_name }, report.input_name),
      report.error && h("p.list-trouble", { title: report.error.message }, report.error.message),
      h("p.list-facts", {}, facts(report, hasRun))),
    h("td.list-state", {}, state(report)),
    h("td.number.list-wide", {}, hasRun ? number(report.rows_read) : ""),
    h(`td.number.list-wide${report.rows_rejected ? ".has-rejects" : ""}`, {}, hasRun ? number(report.rows_rejected) : ""),
    h("td.number.list-wide", {}, bytes(report.input_bytes)),
    h("td.number.list-wide", {}, report.duration_seconds === null || report.status === 0 ? "" : short(report.duration_seconds)),
    h("td.number.list-wide", { title: time(report.created) }, ago(report.created)),
    h("td.list-acts", {}, buttons(report, acts)),
  );
}

const number = (value) => (value >= 10_000_000 ? h("span", { title: count(value) }, compact(value)) : count(value));
const short = (seconds) => (seconds < 1 ? "< 1 s" : duration(seconds));

function facts(report, hasRun) {
  const rejected = report.rows_rejected ? `${count(report.rows_rejected)} rejected` : null;
  const rows = report.rows_read < 10_000 ? counted(report.rows_read, "row") : `${compact(report.rows_read)} rows`;
  return [hasRun ? rows : bytes(report.input_bytes), rejected, ago(report.created)].filter(Boolean).join(" · ");
}

function state(report) {
  if (report.status !== 0) return h(`span.state.${report.state}`, {}, STATES[report.state]);
  const bar = h("span");
  bar.style.width = `${100 * report.progress}%`;
  const percent = report.stage === "queued" || !report.progress ? "" : ` ${share(Math.floor(100 * report.progress) / 100)}`;
  return [h("span.state.processing", {}, `${STAGES[report.stage] ?? STAGES.queued}${percent}`), percent && h("div.meter", { "aria-hidden": "true" }, bar)];
}

function buttons(report, acts) {
  const { input_name: name, status } = report;
  return [
    status === 0 && button("Cancel", name, SHAPES.stop, () => acts.cancel(report)),
    status > 1 && button("Try again:", name, SHAPES.again, () => acts.retry(report)),
    button("Delete", name, SHAPES.bin, () => acts.remove(report)),
  ];
}

function button(verb, name, shape, act) {
  return h("button.icon-button", { type: "button", "aria-label": `${verb} ${name}`, title: verb.replace(":", ""), onclick: act },
    h("svg", { viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" },
      h("path", { d: shape, fill: "none", stroke: "currentColor", "stroke-width": "1.3", "stroke-linecap": "round", "stroke-linejoin": "round" })));
}

// What stands in place of a report that is being deleted.
export function removedRow(report, onUndo) {
  return h("tr.is-removed", {}, h("td", { colspan: String(COLUMNS) },
    h("div.spread", {}, h("span", {}, `${report.input_name} is deleted.`),
      h("button.button", { type: "button", "aria-label": `Undo: keep ${report.input_name}`, onclick: onUndo }, "Undo"))));
}
