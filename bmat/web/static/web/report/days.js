// Plays over time, and the period that all else on the page is about.

import { announce } from "../dom.js";
import { count, dates, signedShare } from "../format.js";
import { chart, chartTable, describe } from "./chart.js";
import { fill, h, headed, segmented } from "./parts.js";
import { GRAINS, before, between, dayOf, periods, ratio, shifted, textOf, total, usualGrain } from "./periods.js";

const MOST_TABLE_ROWS = 1_000;

// The first and last day that `state` is about, within those of the result.
export function periodOf(state, days) {
  const [first, last] = [days[0][0], days.at(-1)[0]];
  const chosen = (name, other) => {
    const day = dayOf(state.get(name));
    return Number.isNaN(day) ? other : Math.max(first, Math.min(last, day));
  };
  const [from, to] = [chosen("from", first), chosen("to", last)];
  return from <= to ? { first: from, last: to, isWhole: from === first && to === last } : { first, last, isWhole: true };
}

export const periodName = ({ first, last }) => dates(textOf(first), textOf(last));

export function daysSection(state, days, signal) {
  const [whole] = [{ first: days[0][0], last: days.at(-1)[0] }];
  const from = dateField("From", "from");
  const to = dateField("To", "to");
  const reset = h("button.link.is-quiet", { type: "button", onclick: () => state.set({ from: "", to: "" }) }, "Whole period");
  const overlay = h("input", { type: "checkbox", name: "before", onchange: (event) => state.set({ before: event.target.checked ? "1" : "" }) });
  const overlayLabel = h("label.check", {}, overlay, h("span", {}, "Period before"));
  const grains = segmented("per", "One point for each", GRAINS, "", (per) => state.set({ per }));
  const facts = h("p.days-facts", { role: "status" });
  const figure = h("figure.chart", { role: "img" });
  const table = h("div.chart-table-place");
  const asTable = h("details.as-table", { ontoggle: drawTable }, h("summary", {}, "As a table"), table);
  let shown = null;
  let own = null;

  function dateField(label, name) {
    const input = h("input", {
      type: "date", name, min: textOf(whole.first), max: textOf(whole.last),
      onchange: () => { if (input.value) state.set({ [name]: input.value }); },
    });
    return h("label.choice", {}, h("span", {}, label), input);
  }

  function draw() {
    const period = periodOf(state, days);
    const grain = state.get("per") in GRAINS ? state.get("per") : usualGrain(period.first, period.last);
    grains.querySelector(`[value=${grain}]`).checked = true;
    from.querySelector("input").value = textOf(period.first);
    to.querySelector("input").value = textOf(period.last);
    reset.hidden = period.isWhole;
    const earlier = period.isWhole ? null : before(days, period.first, period.last);
    overlay.disabled = !earlier;
    overlayLabel.title = earlier ? periodName(earlier) : "Choose a later part of the whole period first.";
    overlay.checked = Boolean(earlier) && state.get("before") === "1";
    shown = { ...periods(days, period.first, period.last, grain), grain, first: period.first, last: period.last };
    if (overlay.checked) shown.earlier = shifted(days, earlier, period, grain);
    drawFacts(period, earlier);
    figure.setAttribute("aria-label", describe(shown));
    own?.abort();
    own = new AbortController();
    chart(figure, { ...shown, onSelect: (first, last) => select(first, last) }, own.signal);
    drawTable();
  }

  function select(first, last) {
    const chosen = { first: Math.max(first, whole.first), last: Math.min(last, whole.last) };
    state.set({ from: textOf(chosen.first), to: textOf(chosen.last) });
    announce(`${periodName(chosen)} is chosen.`);
  }

  function drawFacts(period, earlier) {
    const plays = total(between(days, period.first, period.last));
    const text = [h("strong", {}, count(plays)), " plays, ", periodName(period)];
    if (overlay.checked) {
      const plain = total(between(days, earlier.first, earlier.last));
      const change = ratio(plays - plain, plain);
      text.push(h("span.soft", {}, ` · ${count(plain)} in the period before, ${periodName(earlier)}`), plain > 0n && h("span.soft", {}, ` (${signedShare(change)})`));
    }
    fill(facts, text);
  }

  function drawTable() {
    if (!asTable.open) return fill(table);
    if (shown.starts.length > MOST_TABLE_ROWS) return fill(table, h("p.note", {}, "There are too many days for a table here: choose fewer, or weeks or months."));
    return fill(table, chartTable(shown, describe(shown)));
  }

  signal.addEventListener("abort", () => own?.abort(), { once: true });
  state.on(["from", "to", "per", "before"], draw);
  const element = headed("days", "Plays over time", grains,
    h("div.row.period", {}, from, to, overlayLabel, reset),
    h("div.section-head", {}, facts, h("p.faint.chart-hint", {}, "Drag over the chart to choose a period")),
    figure, asTable);
  // It is drawn once it has a place.
  return { element, draw };
}
