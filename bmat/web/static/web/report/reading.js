// How the files of a report were read.

import { bytes, count, counted } from "../format.js";
import { DATE_FORMATS, MENUS, PRESETS, ROLES, THOUSANDS, readingText } from "../preview/words.js";
import { h, section } from "./parts.js";

const OPTION_NAMES = { ...MENUS, group_by: "Totals by", strict: "Strict" };
const VALUES = { preset: PRESETS, date_format: DATE_FORMATS, thousands: THOUSANDS };

export function readingSection(report, summary) {
  const inputs = report.inputs?.length ? report.inputs : (summary?.inputs ?? []).map((input) => ({ ...input, name: input.name ?? report.input_name }));
  const given = Object.entries(report.options ?? {});
  return section("reading", "How it was read",
    inputs.length > 1 ? several(inputs) : inputs.map((input) => h("p", {}, `${readingText(input)}.`)),
    given.length > 0 && h("div.stack-tight", {}, h("h3", {}, "As it was asked for"),
      h("dl.options", {}, given.map(([name, value]) => h("div", {}, h("dt", {}, optionName(name)), h("dd", {}, optionText(name, value)))))));
}

function optionName(name) {
  const role = name.replace(/_column$/, "");
  return role !== name ? `${ROLES[role]} column` : (OPTION_NAMES[name] ?? name);
}

function optionText(name, value) {
  if (name === "group_by") return String(value).split(",").map((role) => ROLES[role] ?? role).join(", ");
  if (value === true) return "Yes";
  return VALUES[name]?.[value] ?? String(value);
}

function several(inputs) {
  return h("div.totals-place", {}, h("table.inputs", {},
    h("caption.visually-hidden", {}, "The files, and how each was read"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "File"), ["Size", "Rows", "Rejected"].map((name) => h("th.number", { scope: "col" }, name)))),
    h("tbody", {}, inputs.map((input) => h("tr", {},
      h("th", { scope: "row" }, h("div", {}, input.name), h("div.faint", {}, input.preset && input.encoding ? readingText(input) : (PRESETS[input.preset] ?? ""))),
      h("td.number", {}, input.bytes === undefined ? "" : bytes(input.bytes)),
      h("td.number", {}, input.rows_read === undefined ? "" : count(input.rows_read)),
      h("td.number", { title: counted(input.rows_left_out ?? 0, "row") + " left out" }, input.rows_rejected === undefined ? "" : count(input.rows_rejected)))))));
}
