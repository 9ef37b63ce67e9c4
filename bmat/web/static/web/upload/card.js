// An upload as it is shown: what it is, how far it is, and how to end it.

import { fill, h } from "../dom.js";
import { counted, share } from "../format.js";
import { progressText } from "./meter.js";
import * as uploads from "./uploads.js";

// So long it is said that an upload goes on where it was.
const RESUMED_MILLISECONDS = 3000;
const CONTINUES = "Continues where it was";
const STAGES = { queued: "Waiting for a worker", reading: "Reading", merging: "Adding up", writing: "Writing the totals" };

// An element that follows its upload: call `update` after each change.
export function card(upload) {
  const text = h("p.upload-text");
  const name = h("p.upload-name");
  const bar = h("span");
  const meter = h("div.meter", { role: "progressbar", "aria-label": `Progress of ${upload.title}`, "aria-valuemin": "0", "aria-valuemax": "100" }, bar);
  const actions = h("div.row");
  const element = h("section.upload", { "aria-label": `Upload of ${upload.title}` },
    h("div.upload-words", {}, name, text), actions, meter);
  let shown = "";
  const update = () => {
    const value = shareOf(upload);
    fill(name, upload.report && upload.state === "ended" ? h("a", { href: `/reports/${upload.pid}` }, upload.title) : upload.title);
    text.textContent = textOf(upload);
    meter.hidden = ["ended", "refused"].includes(upload.state);
    bar.style.width = `${100 * value}%`;
    meter.setAttribute("aria-valuenow", String(Math.round(100 * value)));
    element.className = `upload is-${upload.state}`;
    if (shown === upload.state) return;
    shown = upload.state;
    fill(actions, actionOf(upload));
  };
  update();
  return { element, update };
}

function actionOf(upload) {
  const isOver = upload.state === "ended" || upload.state === "refused";
  const label = isOver ? "Dismiss" : "Cancel";
  const act = isOver ? uploads.dismiss : uploads.cancel;
  return h("button.link", { type: "button", "aria-label": `${label} ${upload.title}`, onclick: () => act(upload) }, label);
}

function shareOf(upload) {
  return upload.state === "received" ? (upload.report?.progress ?? 0) : upload.share;
}

function textOf(upload) {
  const { report } = upload;
  const percent = share(Math.floor(100 * upload.share) / 100);
  if (upload.state === "waiting") return upload.isResumed ? CONTINUES : "Waits for its turn";
  if (upload.state === "sending") {
    // What was kept may be a second old: the service knows how far it is.
    if (upload.isResumed && !upload.isLocated) return CONTINUES;
    const isSaid = !upload.isResumed || performance.now() - upload.begun > RESUMED_MILLISECONDS;
    return isSaid ? progressText(upload.sent, upload.total, upload.meter.rate) : `Continues at ${percent}`;
  }
  if (upload.state === "away") return `Waiting for the ${upload.isOffline ? "network" : "service"} at ${percent}. It goes on by itself.`;
  if (upload.state === "wanted") return `${percent} is uploaded. Drop ${upload.names.length === 1 ? "the same file" : "the same files"} again to go on.`;
  if (upload.state === "refused") return upload.error.message;
  if (upload.state === "ended") return endText(report);
  if (upload.isAway) return "It is received. Waiting for the service to say how far it is.";
  const rows = report?.rows_read ? ` · ${counted(report.rows_read, "row")}` : "";
  return `${STAGES[report?.stage] ?? "Received"}${rows}`;
}

function endText(report) {
  if (report.state === "failed") return report.error?.message ?? "It failed.";
  if (report.state === "cancelled") return "Cancelled";
  const rejected = report.rows_rejected ? `, ${counted(report.rows_rejected, "row")} rejected` : "";
  return `Done: ${counted(report.rows_read, "row")}${rejected}`;
}
