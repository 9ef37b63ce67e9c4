// A report that is done: what it comes to.

import { count, counted } from "../format.js";
import { daysSection, periodName } from "./days.js";
import { h, jump } from "./parts.js";
import { daysOf, total } from "./periods.js";
import { readingSection } from "./reading.js";
import { rejectsSection } from "./rejects.js";
import { songPanel } from "./song.js";
import { State } from "./state.js";
import { topSection } from "./top.js";
import { totalsSection } from "./totals.js";

// Puts the sections into `root`.
export function drawDone(root, report, summary, { query, signal }) {
  const days = daysOf(summary.plays_by_day);
  const state = new State(query, report.group_by);
  root.append(accounting(report, days), ...warnings(report));
  const rejects = rejectsSection(report, summary.rejects_by_reason);
  if (days.length) {
    // A single day is no curve.
    if (days.length > 1) {
      const chart = daysSection(state, days, signal);
      root.append(chart.element);
      chart.draw();
    }
    root.append(topSection(report, summary, days, state, signal), totalsSection(report, days, state, signal));
    if (rejects) root.append(rejects);
    songPanel(report, days, state, signal)();
  } else {
    root.append(h("p.note", {}, "The file has no rows that count, so there are no totals."));
    if (rejects) root.append(rejects);
  }
  root.append(readingSection(report, summary));
}

// The sentence that adds up.
function accounting(report, days) {
  const counts = BigInt(report.rows_read) - BigInt(report.rows_rejected) - BigInt(report.rows_left_out);
  const part = (number, word) => [h("b", {}, count(number)), ` ${word}`];
  const out = total(days);
  const rows = [
    part(report.rows_read, report.rows_read === 1 ? "row read" : "rows read"), " = ", part(counts, "counted"), " + ", report.rows_rejected > 0 ? [h("a.accounting-link", { href: "#rejects-heading", onclick: jump }, h("b", {}, count(report.rows_rejected)), " rejected")] : part(0, "rejected"),
    report.rows_left_out > 0 && [" + ", part(report.rows_left_out, "left out, for they are no plays")],
  ];
  const plays = [part(report.plays_total, "plays in"), BigInt(report.plays_total) === out ? " = " : " ≠ ", part(out, "plays out")];
  const others = [days.length > 0 && periodName({ first: days[0][0], last: days.at(-1)[0] }), days.length !== 1 && counted(days.length, "day"), counted(report.groups, "daily total")];
  return h("div.accounting", {}, h("p.accounting-rows", {}, h("span", {}, rows, ". "), h("span", {}, plays, ".")), h("p.soft", {}, others.filter(Boolean).map((text, index) => [index > 0 && " · ", h("span", {}, text)])));
}

function warnings(report) {
  return report.warnings.length ? [h("ul.warnings.caution", { "aria-label": "Look at this" }, report.warnings.map((warning) => h("li", {}, warning.message)))] : [];
}
