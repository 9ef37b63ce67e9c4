// A report that is being made.

import { announce } from "../dom.js";
import { counted, duration, share, time } from "../format.js";
import { fill, h } from "./parts.js";

const STAGES = { queued: "Waiting", reading: "Reading", merging: "Adding up", writing: "Writing" };
const WORDS = {
  queued: "Waiting for a worker.",
  reading: "Reading the rows: each is counted or rejected.",
  merging: "Adding up the plays of each day.",
  writing: "Writing the totals.",
};
const TICK_MS = 1_000;

// Call `update(report)` with each answer.
export function progressView(signal) {
  const steps = h("ol.steps");
  const fillBar = h("span");
  const meter = h("div.meter.is-large", { role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, fillBar);
  const words = h("p.progress-words");
  const facts = h("p.soft.progress-facts");
  const element = h("section.card.stack.progress", { "aria-label": "Progress" }, words, meter, facts, steps,
    h("p.faint", {}, "You can close this page: the work goes on."));
  let report = null;
  let stage = "";

  function update(next) {
    report = next;
    const now = report.stage in STAGES ? report.stage : "queued";
    const at = Object.keys(STAGES).indexOf(now);
    if (now !== stage) announce(WORDS[now]);
    stage = now;
    fill(steps, Object.values(STAGES).map((name, index) => h(`li${index < at ? ".is-over" : index === at ? ".is-now" : ""}`, index === at ? { "aria-current": "step" } : {}, name)));
    fillBar.style.width = `${report.progress * 100}%`;
    meter.setAttribute("aria-valuenow", String(Math.floor(report.progress * 100)));
    fill(words, WORDS[now]);
    tick();
  }

  function tick() {
    if (!report) return;
    const seconds = Math.max(0, (Date.now() - new Date(report.created)) / 1000);
    const parts = stage === "queued" ? [] : [share(Math.floor(report.progress * 100) / 100)];
    if (report.rows_read) parts.push(`${counted(report.rows_read, "row")} so far`);
    parts.push(seconds < 86_400 ? `uploaded ${seconds < 1 ? "just now" : `${duration(seconds)} ago`}` : `uploaded ${time(report.created)}`);
    fill(facts, parts.join(" · ").replace(/^u/, "U"));
  }

  const timer = setInterval(tick, TICK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  return { element, update };
}
