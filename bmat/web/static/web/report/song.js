// One song's own curve, in a panel beside the report.

import { get } from "../api.js";
import { count, counted, dates, smallShare } from "../format.js";
import { ROLES } from "../preview/words.js";
import { chart, chartTable, describe, periodText } from "./chart.js";
import { cross, fill, h, keyText, segmented, trouble } from "./parts.js";
import { GRAINS, daysOf, periods, ratio, textOf, total, usualGrain } from "./periods.js";

const PAGE_ROWS = 1_000;
const MOST_PAGES = 40;

// Shows the panel whenever `state` has a key.
export function songPanel(report, days, state, signal) {
  const dialog = h("dialog.song-panel", { "aria-labelledby": "song-title", onclose: () => { if (!signal.aborted) state.openKey(null); }, onclick: (event) => { if (event.target === dialog) dialog.close(); } });
  let own = null;

  async function draw() {
    own?.abort();
    const { key } = state;
    if (key === null) return dialog.close();
    own = new AbortController();
    const mine = own;
    const { main, others } = keyText(state.keyNames, key);
    const content = h("div.song-content.stack", {}, h("p.note", {}, "Looking …"));
    fill(dialog, h("div.song-inner.stack", {},
      h("div.song-top", {}, h("div", {}, h("p.faint", {}, ROLES[state.keyNames.includes("song") ? "song" : state.keyNames[0]]), h("h2", { id: "song-title" }, main), others && h("p.soft", {}, others)),
        h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, cross())),
      content));
    if (!dialog.isConnected) document.body.append(dialog);
    if (!dialog.open) dialog.showModal();
    try {
      const found = await daysOfKey(report, state.keyNames, key, mine.signal);
      if (!mine.signal.aborted) show(content, found, mine.signal);
    } catch (error) {
      if (error.name !== "AbortError") fill(content, trouble(error, draw));
    }
    return null;
  }

  function show(content, found, ownSignal) {
    if (!found.length) return fill(content, h("p.note", {}, "There are no plays of it in this report."));
    const plays = total(found);
    const best = found.reduce((most, each) => (each[1] > most[1] ? each : most));
    const [first, last] = [found[0][0], found.at(-1)[0]];
    const figure = h("figure.chart", { role: "img" });
    const table = h("div.chart-table-place");
    let grain = usualGrain(first, last);
    const drawChart = () => {
      const shown = { ...periods(found, first, last, grain), grain, first, last };
      figure.setAttribute("aria-label", describe(shown));
      chart(figure, { ...shown, height: 220 }, ownSignal);
      fill(table, h("details.as-table", {}, h("summary", {}, "As a table"), chartTable(shown, describe(shown))));
    };
    fill(content,
      h("dl.figures", {},
        figureOf("Plays", count(plays)), figureOf("Of all plays", smallShare(ratio(plays, total(days)))),
        figureOf("Best day", count(best[1]), periodText(best[0], "day")),
        figureOf("Played on", counted(found.length, "day"), dates(textOf(first), textOf(last)))),
      found.length > 1 && [segmented("song-per", "One point for each", GRAINS, grain, (chosen) => { grain = chosen; drawChart(); }), figure, table]);
    return found.length > 1 && drawChart();
  }

  signal.addEventListener("abort", () => { own?.abort(); dialog.remove(); }, { once: true });
  state.on(state.keyNames, draw);
  return draw;
}

function figureOf(label, value, about = "") {
  return h("div", {}, h("dt", {}, label), h("dd", {}, value), about && h("dd.faint", {}, about));
}

// The days of a key, with its plays. A field that is empty cannot be asked for, so that rows of
// other keys may come along.
async function daysOfKey(report, names, key, signal) {
  const query = new URLSearchParams({ limit: PAGE_ROWS });
  names.forEach((name, index) => key[index] && query.set(name, key[index]));
  let address = `/api/reports/${report.pid}/rows?${query}`;
  const byDay = {};
  for (let page = 0; address && page < MOST_PAGES; page += 1) {
    const { rows, next } = await get(address, { signal });
    for (const row of rows) if (names.every((name, index) => row[name] === key[index])) byDay[row.date] = row.plays;
    address = next && new URL(next).pathname + new URL(next).search;
  }
  return daysOf(byDay);
}
