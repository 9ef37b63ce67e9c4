// Plays over time, drawn by uPlot: bars where there is room for them, else a line.

import { compact, count, dates } from "../format.js";
import { fill, h } from "./parts.js";
import { extent, following, secondsOf, startOf, textOf } from "./periods.js";

let uPlot = null;
let loading = null;

// The largest module of all comes once what is written around the chart is on the screen.
function load() {
  loading ??= painted().then(() => import("../vendor/uplot-1.6.32/uPlot.esm.js")).then((module) => { uPlot = module.default; });
  return loading;
}

const painted = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });

const DAY = 86_400;
const MONTH = 30 * DAY;
const YEAR = 365 * DAY;
const STEPS = [1, 2, 3, 4, 5, 7, 10, 15].map((days) => days * DAY).concat(
  [1, 2, 3, 4, 6].map((months) => months * MONTH), [1, 2, 5, 10, 25, 50, 100, 500].map((years) => years * YEAR));
const LABEL_PIXELS = 44;
// Less than this, and bars are a hedge.
const BAR_PIXELS = 7;

const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const monthOnly = new Intl.DateTimeFormat(undefined, { month: "short", timeZone: "UTC" });
const long = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const longMonth = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });

const instant = (day) => new Date(secondsOf(day) * 1000);

// What a period is called: "Mon, Jan 6, 2020", "Week of Jan 6, 2020", "January 2020".
export function periodText(start, grain) {
  if (grain === "month") return longMonth.format(instant(start));
  if (grain === "week") return `Week of ${long.format(instant(start)).replace(/^\p{L}+\.?,? /u, "")}`;
  return long.format(instant(start));
}

// The same, which says where `first` and `last` leave but a part of it.
function partText(start, { grain, first, last }) {
  const [from, to] = extent(start, grain, { first, last });
  const isPart = from !== start || to !== following(start, grain) - 1;
  return isPart ? dates(textOf(from), textOf(to)) : periodText(start, grain);
}

const earlierText = ([from, to]) => dates(textOf(from), textOf(to));

// Draws `starts` and `totals` into `root`, of the days from `first` to `last`; as a line over them
// those of another period, `earlier`: as many. `onSelect(firstDay, lastDay)` is called where
// somebody drags over some of them. It is drawn anew with its place and with the colours of the
// system.
export function chart(root, shown, signal) {
  const { starts, totals, earlier = null, grain, height = 240, onSelect = null } = shown;
  const tip = h("div.chart-tip", { hidden: true });
  const place = h("div.chart-place", {});
  fill(root, place, tip);
  let plot = null;
  const draw = async () => {
    try {
      await load();
    } catch {
      return fill(place, h("p.note", {}, "The chart cannot be drawn: a part of the page did not come. The numbers are below, as a table."));
    }
    if (signal.aborted) return null;
    plot?.destroy();
    if (place.clientWidth) plot = new uPlot(options(), data(), place);
    return null;
  };

  function data() {
    const values = [starts.map(secondsOf), totals.map(Number)];
    if (earlier) values.push(earlier.totals.map(Number));
    return values;
  }

  function options() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const width = place.clientWidth;
    const hasBars = (width - 60) / Math.max(1, starts.length) >= BAR_PIXELS;
    const grid = { stroke: colour("--line"), width: 1 };
    const ticks = { show: false };
    const text = { stroke: colour("--ink-faint"), font: `12px ${style.fontFamily}` };
    const first = starts[0];
    const end = following(starts.at(-1), grain);
    return {
      width, height, ms: 1e-3, padding: [12, 0, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      legend: { show: false },
      cursor: { y: false, points: { show: !hasBars, size: 7, fill: colour("--accent") }, drag: { x: Boolean(onSelect), y: false, setScale: false } },
      select: { show: Boolean(onSelect) },
      scales: {
        // Half a period more at both ends, where bars would be cut.
        x: { range: hasBars ? [secondsOf(first) - (secondsOf(end) - secondsOf(starts.at(-1))) / 2, secondsOf(end) - (secondsOf(end) - secondsOf(starts.at(-1))) / 2] : starts.length > 1 ? [secondsOf(first), secondsOf(starts.at(-1))] : undefined },
        y: { range: (_plot, _least, most) => [0, Math.max(1, most) * 1.06] },
      },
      axes: [
        { ...text, grid: { show: false }, ticks, gap: 8, size: 44, space: width < 500 ? 64 : 76, incrs: grain === "month" ? STEPS.filter((step) => step >= MONTH) : STEPS, splits: grain === "week" ? mondays : undefined, values: labels },
        { ...text, grid, ticks, gap: 8, size: room, space: 44, values: (_plot, splits) => splits.map((value) => (Number.isInteger(value) ? compact(value) : "")) },
      ],
      series: [
        {},
        { stroke: colour("--accent"), width: hasBars ? 0 : 1.5, fill: hasBars ? colour("--bar") : colour("--accent-soft"), points: { show: starts.length < 3 && !hasBars }, paths: hasBars ? uPlot.paths.bars({ size: [0.72, 48], radius: 0.12 }) : undefined },
        ...(earlier ? [{ stroke: colour("--ink-soft"), width: 1.5, dash: [4, 4], points: { show: starts.length < 3 }, spanGaps: true }] : []),
      ],
      hooks: { setCursor: [show], setSelect: [choose] },
    };
  }

  // Weeks are named at their Mondays: at as many as there is room for.
  function mondays(drawn) {
    const every = Math.ceil((starts.length * 84) / Math.max(84, drawn.bbox.width / devicePixelRatio));
    return starts.filter((_, index) => index % every === 0).map(secondsOf);
  }

  function show(drawn) {
    const index = drawn.cursor.idx;
    const isOver = index !== null && index !== undefined && drawn.cursor.left >= 0;
    tip.hidden = !isOver;
    if (!isOver) return;
    fill(tip,
      h("strong", {}, count(totals[index])), h("span", {}, partText(starts[index], shown)),
      earlier && h("span.chart-tip-before", {}, `before: ${count(earlier.totals[index])}, ${earlierText(earlier.ends[index])}`));
    const left = drawn.valToPos(secondsOf(starts[index]), "x") + drawn.over.offsetLeft;
    const room = place.clientWidth - tip.offsetWidth;
    tip.style.transform = `translateX(${Math.max(0, Math.min(room, left - tip.offsetWidth / 2))}px)`;
  }

  function choose(drawn) {
    const { left, width } = drawn.select;
    if (width < 3) return;
    const days = [left, left + width].map((pixels) => Math.round(drawn.posToVal(pixels, "x") / DAY));
    drawn.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    onSelect(startOf(days[0], grain), following(startOf(days[1], grain), grain) - 1);
  }

  const size = new ResizeObserver(() => {
    if (!plot || plot.width !== place.clientWidth) draw();
  });
  size.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);
  signal.addEventListener("abort", () => {
    size.disconnect();
    scheme.removeEventListener("change", draw);
    plot?.destroy();
  }, { once: true });
}

// The numbers stand where the text of the page begins.
function room(_plot, texts) {
  return 8 * Math.max(1, ...(texts ?? []).map((text) => text.length)) + 8;
}

// The labels of the axis of days: the year stands under the first one, and where it changes. One
// that the right edge would cut is left out.
function labels(plot, splits, _axis, _space, step) {
  const end = plot.bbox.width / devicePixelRatio - LABEL_PIXELS / 2;
  let year = null;
  return splits.map((seconds) => {
    if (plot.valToPos(seconds, "x") > end) return "";
    const date = new Date(seconds * 1000);
    if (step >= YEAR) return String(date.getUTCFullYear());
    const text = (step >= MONTH ? monthOnly : dayAndMonth).format(date);
    if (date.getUTCFullYear() === year) return text;
    year = date.getUTCFullYear();
    return `${text}\n${year}`;
  });
}

// The same as a table, for those who do not see it.
export function chartTable(shown, caption) {
  const { starts, totals, earlier = null } = shown;
  return h("table.chart-table", {}, h("caption.visually-hidden", {}, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Period"), h("th.number", { scope: "col" }, "Plays"), earlier && h("th.number", { scope: "col" }, "Period before"))),
    h("tbody", {}, starts.map((start, index) => h("tr", {},
      h("th", { scope: "row" }, partText(start, shown)), h("td.number", {}, count(totals[index])),
      earlier && h("td.number", { title: earlierText(earlier.ends[index]) }, count(earlier.totals[index]))))));
}

export function describe(shown) {
  const { starts, totals, first, last } = shown;
  const most = totals.reduce((best, value, index) => (value > totals[best] ? index : best), 0);
  return `Plays, ${dates(textOf(first), textOf(last))}. The most are ${count(totals[most])}: ${partText(starts[most], shown)}.`;
}
