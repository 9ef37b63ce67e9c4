// Another try on the file that was kept, read with other options: what they do is shown first.

import { get, post } from "../api.js";
import { grouping, settings } from "../preview/menus.js";
import * as reading from "../preview/reading.js";
import { table } from "../preview/table.js";
import { doubtText, inPageWords, menuFor, readingText, rolesText } from "../preview/words.js";
import { fill, h, latest, section, trouble } from "./parts.js";

const PAUSE_MS = 200;

// `onStarted(report)` is called once the report waits again.
export function againSection(report, onStarted, signal) {
  let given = Object.fromEntries(Object.entries(report.options ?? {}).map(([name, value]) => [name, String(value)]));
  let found = null;
  let wasMatched = false;
  let isMatched = false;
  const summary = h("p.soft", {}, "Reading the first rows …");
  const notes = h("div.stack-tight", { "aria-live": "polite" });
  const menus = h("div.preview-menus.is-open");
  const groups = h("div");
  const place = h("div.preview-place", { hidden: true, tabindex: "0", role: "region", "aria-label": "First rows" });
  const start = h("button.button.primary", { type: "button", disabled: true, onclick: run }, "Run again");
  const ask = latest(look, PAUSE_MS, signal);

  async function look(own) {
    place.setAttribute("aria-busy", "true");
    try {
      // One that is blank says that there are no others than these.
      const query = new URLSearchParams({ preset: "", ...given });
      found = await get(`/api/reports/${report.pid}/inspect?${query}`, { signal: own });
      if (matched()) found = await get(`/api/reports/${report.pid}/inspect?${new URLSearchParams(given)}`, { signal: own });
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      found = null;
      fill(notes, trouble(error, () => ask({ isAtOnce: true })));
      drawControls();
    } finally {
      if (!own.aborted) place.removeAttribute("aria-busy");
    }
  }

  // Gives the columns that are missing to those whose names sound like them, once; whether it did.
  function matched() {
    if (wasMatched || found.error?.code !== "missing_column" || !found.columns.length) return false;
    wasMatched = true;
    const missing = reading.missingRoles(found.columns, given, found.preset);
    const columns = reading.likelyColumns(found.columns, missing);
    if (!columns) return false;
    given = reading.optionsOf(columns, given, found.preset);
    isMatched = true;
    return true;
  }

  function chooseOption(name, value) {
    const { [name]: _old, ...others } = name === "preset" ? { group_by: given.group_by } : given;
    given = Object.fromEntries(Object.entries(value ? { ...others, [name]: value } : others).filter(([, text]) => text));
    ask();
  }

  function chooseRole(index, role) {
    const columns = reading.withRole(found.columns, index, role);
    found = { ...found, columns };
    isMatched = false;
    const missing = reading.missingRoles(columns, given, found.preset);
    if (missing.length) {
      found.error = { code: "missing_column", message: "" };
      return draw();
    }
    given = reading.optionsOf(columns, given, found.preset);
    return ask();
  }

  function draw() {
    drawControls();
    const isPending = found.error?.code === "missing_column" && found.columns.length > 0;
    const missing = isPending ? reading.missingRoles(found.columns, given, found.preset) : [];
    const message = missing.length ? `Say which column holds ${rolesText(missing)}.` : inPageWords(found.error?.message ?? "");
    const doubt = found.error ? "" : doubtText(found);
    fill(notes, message && h(isPending ? "div.caution" : "div.alert", {}, message), isMatched && h("div.caution", {}, "The columns were matched by their names. Look whether they are the right ones."), doubt && h("div.caution", {}, doubt));
    const canChoose = Boolean(found.header_line) && found.delimiter !== "";
    place.hidden = !found.columns.length;
    const focused = document.activeElement?.closest?.(".preview-role")?.getAttribute("aria-label");
    fill(place, found.columns.length > 0 && table(found, canChoose ? chooseRole : null, isPending));
    if (focused) [...place.querySelectorAll("select")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
  }

  function drawControls() {
    const focused = element.querySelector("select:focus")?.name;
    const reasons = found?.records.map((record) => record.reason).filter(Boolean) ?? [];
    const wanted = found?.error ? menuFor(found.error.code) : reasons.map(menuFor).find(Boolean);
    fill(summary, found && !found.error ? `${readingText(found)}.` : "The file is kept. Choose how it is read; these are its first rows.");
    fill(menus, settings(given, found, wanted, chooseOption));
    fill(groups, grouping(reading.key(given), chooseOption));
    if (focused) element.querySelector(`select[name="${focused}"]`)?.focus();
    start.disabled = !found || Boolean(found.error);
  }

  async function run() {
    start.disabled = true;
    const form = new FormData();
    for (const [name, value] of Object.entries({ preset: "", ...reading.resolved(given, found) })) form.append(name, value);
    try {
      onStarted(await post(`/api/reports/${report.pid}/retry`, form));
    } catch (error) {
      start.disabled = false;
      fill(notes, trouble(error));
    }
  }

  const element = section("again", "Fix the options and run again", h("div.card.stack", {}, summary, notes, place, menus, h("div.spread", {}, groups, start)));
  ask({ isAtOnce: true });
  return element;
}
