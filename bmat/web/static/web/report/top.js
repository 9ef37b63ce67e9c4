// The songs with the most plays in the period, as bars.

import { get } from "../api.js";
import { count, share } from "../format.js";
import { periodName, periodOf } from "./days.js";
import { bar, fill, h, headed, keyLink, latest, trouble } from "./parts.js";
import { between, ratio, textOf, total } from "./periods.js";

const FIRST = 10;
const MOST = 50;
const PAUSE_MS = 150;

export function topSection(report, summary, days, state, signal) {
  const place = h("div.top-place");
  const about = h("span.faint");
  const more = h("button.link.is-quiet", { type: "button", onclick: () => { isLong = !isLong; draw(); } });
  let isLong = false;
  let rows = [];
  const ask = latest(find, PAUSE_MS, signal);

  async function find(own) {
    const period = periodOf(state, days);
    fill(about, periodName(period));
    // The summary has those of the whole result.
    if (period.isWhole) return show(summary.top_songs.slice(0, MOST));
    place.setAttribute("aria-busy", "true");
    const query = new URLSearchParams({ grain: "all", order: "-plays", limit: MOST, from: textOf(period.first), to: textOf(period.last) });
    try {
      const page = await get(`/api/reports/${report.pid}/rows?${query}`, { signal: own });
      return show(page.rows);
    } catch (error) {
      if (error.name === "AbortError") return null;
      place.removeAttribute("aria-busy");
      return fill(place, trouble(error, () => ask({ isAtOnce: true })));
    }
  }

  function show(found) {
    rows = found.map((row) => ({ key: state.keyNames.map((name) => row[name]), plays: row.plays }));
    place.removeAttribute("aria-busy");
    draw();
  }

  function draw() {
    const period = periodOf(state, days);
    const all = total(between(days, period.first, period.last));
    const most = rows[0]?.plays ?? 0;
    more.hidden = rows.length <= FIRST;
    more.textContent = isLong ? "Show fewer" : `Show ${Math.min(MOST, rows.length)}`;
    if (!rows.length) return fill(place, h("p.note", {}, "Nothing was played in this period."));
    return fill(place, h("ol.top", {}, rows.slice(0, isLong ? MOST : FIRST).map((row, index) => h("li", {},
      h("span.top-rank", { "aria-hidden": "true" }, String(index + 1)),
      keyLink(state, row.key), bar(ratio(row.plays, most)),
      h("span.number", {}, count(row.plays)), h("span.number.soft.top-share", {}, share(ratio(row.plays, all)))))), more);
  }

  state.on(["from", "to"], ask);
  ask({ isAtOnce: true });
  return headed("top-songs", state.keyNames.join() === "song" ? "Top songs" : "Most plays", about, place);
}
