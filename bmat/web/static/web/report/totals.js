// The totals as a table: searched as one types, sorted, and paged by cursors, so that a page of
// millions comes as fast as one of ten.

import { get } from "../api.js";
import { announce } from "../dom.js";
import { count, periodStart } from "../format.js";
import { ROLES } from "../preview/words.js";
import { periodName, periodOf } from "./days.js";
import { choose, fill, h, headed, keyLink, latest, segmented, trouble } from "./parts.js";
import { textOf } from "./periods.js";

const LIMIT = 25;
// What goes by the order of songs is found at once: the rows follow the keys. A search for a part of
// a song reads all songs, and waits for the end of the word.
const PAUSE_MS = 40;
const LONG_PAUSE_MS = 180;
const SLOW_MS = 1_200;
const TABLE_GRAINS = { all: "Whole period", day: "Day", week: "Week", month: "Month", quarter: "Quarter", year: "Year" };
const DATE_HEADS = { week: "Week from", month: "Month", quarter: "Quarter", year: "Year" };
const MATCHES = { starts: "Starts with", contains: "Contains" };

export function totalsSection(report, days, state, signal) {
  let match = state.get("contains") ? "contains" : "starts";
  // The addresses of the pages before this one, and of the one after it.
  let earlier = [];
  let current = null;
  let next = null;
  const hasSongs = state.keyNames.includes("song");
  const input = h("input", { type: "search", name: "search", "aria-label": "Search songs", placeholder: "Search songs", value: state.get(match), autocomplete: "off", spellcheck: "false", oninput: search });
  const body = h("tbody");
  const head = h("thead");
  const table = h("table.totals", {}, h("caption.visually-hidden", {}, "Totals"), head, body);
  const about = h("span.faint");
  const note = h("div.totals-note", { role: "status" });
  const back = h("button.button", { type: "button", onclick: () => turn(earlier.at(-1), earlier.slice(0, -1)) }, "Previous");
  const forth = h("button.button", { type: "button", onclick: () => turn(next, [...earlier, current]) }, "Next");
  const where = h("span.faint", { role: "status" });
  const ask = latest((own) => load(first(), [], own), PAUSE_MS, signal);
  const askPage = latest((own) => load(...wanted, own), 0, signal);
  let wanted = null;

  function search() {
    state.set({ starts: "", contains: "", [match]: input.value });
  }

  function first() {
    const query = new URLSearchParams({ limit: LIMIT, grain: state.get("grain"), order: state.get("order") });
    if (state.get("starts")) query.set("song_prefix", state.get("starts"));
    if (state.get("contains")) query.set("contains", state.get("contains"));
    const period = periodOf(state, days);
    fill(about, periodName(period));
    if (!period.isWhole) {
      query.set("from", textOf(period.first));
      query.set("to", textOf(period.last));
    }
    return `/api/reports/${report.pid}/rows?${query}`;
  }

  function turn(address, before) {
    wanted = [address, before];
    askPage({ isAtOnce: true });
  }

  async function load(address, before, own) {
    table.setAttribute("aria-busy", "true");
    const slow = setTimeout(() => fill(note, h("p.note", {}, "Still looking. A large result is prepared for questions once.")), SLOW_MS);
    try {
      const page = await get(address, { signal: own });
      [current, earlier] = [address, before];
      next = page.next && new URL(page.next).pathname + new URL(page.next).search;
      show(page.rows);
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(note, trouble(error, () => turn(address, before)));
      note.scrollIntoView({ block: "nearest" });
    } finally {
      clearTimeout(slow);
      if (!own.aborted) table.removeAttribute("aria-busy");
    }
  }

  function show(rows) {
    const hasDates = state.get("grain") !== "all";
    drawHead(hasDates);
    fill(body, rows.map((row) => {
      const key = state.keyNames.map((name) => row[name]);
      return h("tr", {},
        state.keyNames.map((name, index) => (index === 0
          ? h(`th${styleOf(name)}`, { scope: "row" }, keyLinkOf(key, index))
          : h(`td${styleOf(name)}`, { title: key[index], dir: "auto" }, key[index]))),
        hasDates && h("td.totals-date", {}, periodStart(row.date, state.get("grain"))),
        h("td.number", {}, count(row.plays)));
    }));
    fill(note, !rows.length && nothing());
    table.hidden = !rows.length;
    const start = earlier.length * LIMIT;
    where.textContent = rows.length ? `${count(start + 1)} – ${count(start + rows.length)}` : "";
    back.disabled = !earlier.length;
    forth.disabled = !next;
    const isPaged = earlier.length > 0 || Boolean(next);
    back.hidden = forth.hidden = !isPaged;
    announce(rows.length ? `Rows ${where.textContent}` : "No rows");
  }

  // Titles and artists share the room that the others leave.
  function styleOf(name) {
    const long = state.keyNames.filter((each) => each === "song" || each === "artist");
    if (state.keyNames.length === 1 || long.join() === name) return ".is-text.is-wide";
    return long.includes(name) ? ".is-text.is-half" : ".is-text";
  }

  function keyLinkOf(key, index) {
    const link = keyLink(state, key);
    // The other fields have columns of their own.
    link.textContent = key[index] || "(empty)";
    link.dir = "auto";
    return link;
  }

  function nothing() {
    const text = state.get("starts") || state.get("contains");
    if (!text) return h("p.note", {}, "There are no totals in this period.");
    const verb = match === "starts" ? "starts with" : "contains";
    const capital = text[0].toUpperCase() + text.slice(1);
    const other = (name, value, label) => h("button.link.is-inline", { type: "button", onclick: () => { match = name; input.value = value; drawMatch(); search(); input.focus(); } }, label);
    const offers = [
      capital !== text && other(match, capital, `“${capital}”`),
      match === "starts" && other("contains", text, `songs that contain “${text}”`),
    ].filter(Boolean);
    return h("p.note", {}, `No song ${verb} “${text}”. Capitals count.`, offers.length > 0 && [" Look for ", offers.flatMap((offer, index) => (index ? [" or ", offer] : [offer])), "?"]);
  }

  function drawHead(hasDates) {
    const names = state.keyNames.map((name, index) => (index === 0 ? column(ROLES[name], "song", "") : h("th", { scope: "col" }, ROLES[name])));
    const focused = document.activeElement?.closest?.("th")?.dataset.by;
    fill(head, h("tr", {}, names, hasDates && column(DATE_HEADS[state.get("grain")] ?? "Date", "date", ""), column("Plays", "plays", ".number")));
    if (focused) head.querySelector(`[data-by="${focused}"] button`)?.focus();
  }

  // A head that sorts: plays begin with the most, all else with the first.
  function column(label, by, style) {
    const order = state.get("order");
    const isBy = order === by || order === `-${by}`;
    const isDown = order.startsWith("-");
    const flipped = isBy ? (isDown ? by : `-${by}`) : by === "plays" ? "-plays" : by;
    return h(`th${style}`, { scope: "col", "data-by": by, "aria-sort": isBy ? (isDown ? "descending" : "ascending") : "none" },
      h("button.sorter", { type: "button", onclick: () => state.set({ order: flipped }) }, label, h(`span.sorter-mark${isBy ? "" : ".is-off"}`, { "aria-hidden": "true" }, isBy ? (isDown ? "↓" : "↑") : by === "plays" ? "↓" : "↑")));
  }

  const matchPlace = h("div");
  function drawMatch() {
    fill(matchPlace, segmented("match", "How songs are searched", MATCHES, match, (chosen) => { match = chosen; search(); }));
  }

  function chooseGrain(grain) {
    const isByDate = state.get("order").endsWith("date");
    state.set({ grain, ...(grain === "all" && isByDate ? { order: "song" } : {}) });
  }

  drawMatch();
  const grain = state.get("grain") in TABLE_GRAINS ? state.get("grain") : "all";
  state.on(["from", "to", "starts", "contains", "grain", "order"], () => ask({ pause: state.get("contains") ? LONG_PAUSE_MS : PAUSE_MS }));
  ask({ isAtOnce: true });
  return headed("all-totals", "All totals", about,
    h("div.row.totals-tools", {}, hasSongs && h("div.search", {}, input), hasSongs && matchPlace, choose("By", "grain", TABLE_GRAINS, grain, chooseGrain)),
    note, h("div.totals-place", {}, table), h("div.row.pages", {}, back, forth, where));
}
