// A report: as it is made, what it comes to, or why it failed.

import { get, poll, post, remove } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { ago, bytes, counted, date, duration } from "../format.js";
import { inPageWords } from "../preview/words.js";
import { chooseOther } from "../report/choose.js";
import { downloads } from "../report/downloads.js";
import { confirmed, trouble } from "../report/parts.js";
import { progressView } from "../report/progress.js";
import { rejectsSection } from "../report/rejects.js";
import { go, title } from "../router.js";

const PROCESSING = 0;
const STATES = { processing: "Processing", done: "Done", failed: "Failed", cancelled: "Cancelled" };

export async function show(root, [pid], { signal, query }) {
  const path = `/api/reports/${pid}`;
  const top = h("div.report-top");
  const body = h("div.report-body.stack-loose");
  const away = h("p.caution", { role: "status", hidden: true }, "The service cannot be reached. This page goes on as soon as it can.");
  fill(root, h("div.report.stack-loose", {}, top, away, body));
  // What is drawn ends where the report's state changes.
  let own = null;
  let drawn = null;
  let progress = null;

  function update(report) {
    title(report.status === PROCESSING ? `${Math.floor(report.progress * 100)} % · ${report.input_name}` : report.input_name);
    if (drawn !== report.status) {
      own?.abort();
      own = new AbortController();
      signal.addEventListener("abort", () => own.abort(), { once: true });
      if (drawn !== null && report.status !== PROCESSING) announce(`${report.input_name}: ${STATES[report.state]}.`);
      drawn = report.status;
      drawTop(report);
      drawBody(report);
    }
    if (report.status === PROCESSING) progress.update(report);
    return report.status !== PROCESSING;
  }

  function drawTop(report) {
    const isDone = report.state === "done";
    fill(top,
      h("nav", { "aria-label": "Path" }, h("a.crumb", { href: "/" }, "Reports")),
      h("div.report-title", {}, h("h1", {}, report.input_name),
        h("div.row.report-acts", {},
          isDone && downloads(report, own.signal),
          isDone && h("button.button", { type: "button", onclick: chooseOther(report, own.signal) }, "Compare …"),
          report.status === PROCESSING && h("button.button", { type: "button", onclick: () => act(report, "cancel") }, "Cancel"),
          h("button.button.bad.is-plain", { type: "button", onclick: () => removeReport(report) }, "Delete"))),
      h("p.report-facts", {}, h(`span.state.${report.state}`, {}, STATES[report.state]), facts(report).map((text) => h("span", {}, text))));
  }

  function facts(report) {
    const all = report.status === PROCESSING ? [] : [ago(report.created)];
    if (report.inputs?.length > 1) all.push(counted(report.inputs.length, "file"));
    if (report.input_bytes) all.push(bytes(report.input_bytes));
    if (report.duration_seconds !== null && report.status !== PROCESSING) all.push(`took ${duration(report.duration_seconds)}`);
    if (report.expires) all.push(`kept until ${date(report.expires.slice(0, 10))}`);
    return all;
  }

  async function drawBody(report) {
    if (report.status === PROCESSING) {
      progress = progressView(own.signal);
      return fill(body, progress.element);
    }
    if (report.state !== "done") return fill(body, ...ended(report));
    const { signal: ownSignal } = own;
    try {
      const [summary, { drawDone }] = await Promise.all([get(`${path}/summary`, { signal: ownSignal }), import("../report/done.js")]);
      if (ownSignal.aborted) return null;
      fill(body);
      return drawDone(body, report, summary, { query, signal: ownSignal });
    } catch (error) {
      return error.name !== "AbortError" && fill(body, trouble(error, () => drawBody(report)));
    }
  }

  // What happened, and what can be done about it.
  function ended(report) {
    const isFailed = report.state === "failed";
    const again = h("div.again-place");
    const fix = h(`button.button${isFailed ? ".primary" : ""}`, { type: "button", onclick: async () => {
      const { againSection } = await import("../report/again.js");
      fix.parentElement.hidden = true;
      fill(again, againSection(report, restart, own.signal));
      again.querySelector("h2").focus({ preventScroll: true });
      again.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    } }, isFailed ? "Fix the options and run again" : "Change how it is read");
    const asItIs = h(`button.button${isFailed ? "" : ".primary"}`, { type: "button", onclick: () => act(report, "retry") }, isFailed ? "Run again as it is" : "Run again");
    return [
      h(`section.card.stack${isFailed ? ".is-failed" : ""}`, { "aria-labelledby": "ended-heading" },
        h("h2", { id: "ended-heading" }, isFailed ? "It could not be totalled" : "It was cancelled"),
        isFailed ? h("p.failure", {}, inPageWords(report.error?.message ?? "")) : h("p", {}, "The file is kept, and can be run again."),
        h("div.row", {}, isFailed ? [fix, asItIs] : [asItIs, fix]),
        isFailed && h("p.faint", {}, "For support: ", h("code", {}, report.error?.code))),
      again,
      rejectsSection(report),
    ].filter(Boolean);
  }

  async function act(report, verb) {
    try {
      restart(await post(`${path}/${verb}`));
    } catch (error) {
      body.prepend(trouble(error));
    }
  }

  // Shows what an action has made of it, and follows it again.
  function restart(report) {
    if (!update(report)) follow();
  }

  async function removeReport(report) {
    if (!(await confirmed("Delete this report?", `${report.input_name}, its totals and its rejects are removed. This cannot be undone.`, "Delete"))) return;
    try {
      await remove(path);
      go("/");
    } catch (error) {
      body.prepend(trouble(error));
    }
  }

  let following = null;
  async function follow() {
    following?.abort();
    const mine = (following = new AbortController());
    signal.addEventListener("abort", () => mine.abort(), { once: true });
    try {
      await poll(path, update, { signal: mine.signal, onAway: (isAway) => { away.hidden = !isAway; } });
    } catch (error) {
      if (mine.signal.aborted) return;
      title("Not there");
      fill(root, gone(error));
    }
  }

  follow();
}

function gone(error) {
  const text = { 404: "There is no such report here. It may have been deleted, or belong to somebody else.", 410: error.message }[error.status] ?? error.message;
  return h("section.card.stack.narrow", {}, h("h1", {}, error.status === 410 ? "Its files were removed" : "Not found"), h("p.soft", {}, text), h("a.button", { href: "/" }, "All reports"));
}
