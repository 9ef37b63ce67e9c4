// The rows that were not counted: by reason, with what to do, and the first of each.

import { count, counted, smallShare } from "../format.js";
import { inPageWords, reasonText } from "../preview/words.js";
import { h, section } from "./parts.js";

// `byReason` are the counts, where they are known; there is nothing where nothing was rejected.
export function rejectsSection(report, byReason = {}) {
  const samples = report.rejects_sample;
  const reasons = Object.keys({ ...byReason, ...samples }).sort((one, other) => (byReason[other] ?? 0) - (byReason[one] ?? 0));
  if (!report.rows_rejected) return null;
  return section("rejects", `${counted(report.rows_rejected, "row")} rejected`,
    h("div.spread", {},
      h("p.soft", {}, "They are not in the totals. Mend them, or change how the file is read, and send it again."),
      report.rejects_file && h("a.button", { href: new URL(report.rejects_file).pathname, download: true }, "Download them all")),
    reasons.map((reason) => group(report, reason, byReason[reason], samples[reason])));
}

function group(report, reason, number, sample) {
  return h("article.reject", {},
    h("div.reject-head", {}, h("h3", {}, reasonText(reason)),
      number !== undefined && h("span.soft", {}, counted(number, "row"), " · ", smallShare(number / report.rows_read))),
    sample?.advice && h("p.soft", {}, inPageWords(sample.advice)),
    sample?.examples.length > 0 && examples(report, sample.examples));
}

function examples(report, rows) {
  const hasFiles = rows.some((row) => row.file !== undefined);
  return h("div.examples-place", { tabindex: "0", role: "region", "aria-label": "Examples" }, h("table.examples", {},
    h("thead.visually-hidden", {}, h("tr", {}, h("th", { scope: "col" }, "Line"), h("th", { scope: "col" }, "Row"))),
    h("tbody", {}, rows.map((row) => h("tr", {},
      h("th.number", { scope: "row" }, hasFiles && h("span.example-file", {}, report.inputs?.[row.file]?.name ?? `File ${row.file + 1}`), h("span.visually-hidden", {}, "Line "), count(row.line)),
      h("td", {}, h("code", {}, row.record)))))));
}
