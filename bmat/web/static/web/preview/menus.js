// The menus that say how a file is read.

import { h } from "../dom.js";
import * as words from "./words.js";

const GROUPS = [["song"], ["artist", "song"], ["artist"], ["isrc"], ["song", "territory"], ["song", "service"], ["artist", "song", "territory", "service"]];

// What each menu offers, by the option's name: its choices, and what stands for none.
function menus(given, found) {
  const read = found && !found.error ? found : null;
  const automatic = (text) => (read && text ? `Automatic (${text})` : "Automatic");
  const delimiter = read?.delimiter === "\t" ? "tab" : read?.delimiter;
  return {
    preset: [words.PRESETS, automatic(read && words.PRESETS[read.preset])],
    delimiter: [words.DELIMITERS, automatic(words.DELIMITERS[delimiter]?.toLowerCase())],
    encoding: [words.ENCODINGS, automatic(read && words.encodingText(read.encoding))],
    header_line: [lines(read), automatic(read?.header_line ? `line ${read.header_line}` : "")],
    date_format: [words.DATE_FORMATS, "Automatic"],
    thousands: [words.THOUSANDS, "1000 (none)"],
    quoting: [words.QUOTING, "Automatic"],
    plays: [words.PLAYS, "Automatic"],
  };
}

function lines(read) {
  const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
  if (read?.header_line > 20) numbers.push(read.header_line);
  return Object.fromEntries(numbers.map((number) => [number, `Line ${number}`]));
}

// A field for each option. `onChoose(name, value)` gets "" where somebody leaves it to the format;
// `wanted` is the name of the one that may help.
export function settings(given, found, wanted, onChoose) {
  return Object.entries(menus(given, found)).map(([name, [choices, none]]) =>
    h(`label.field${name === wanted ? ".is-wanted" : ""}`, {}, words.MENUS[name], menu(name, choices, given[name], none, onChoose)));
}

function menu(name, choices, value, none, onChoose) {
  // JavaScript moves names that are numbers to the front, which is where they belong.
  const all = value && !(value in choices) ? { ...choices, [value]: value } : choices;
  return h("select", { name, onchange: (event) => onChoose(name, event.target.value) },
    h("option", { value: "", selected: !value }, none),
    Object.entries(all).map(([choice, text]) => h("option", { value: choice, selected: choice === value }, text)));
}

// What the totals are by.
export function grouping(key, onChoose) {
  const groups = GROUPS.some((group) => group.join() === key.join()) ? GROUPS : [...GROUPS, key];
  const text = (group) => group.map((role, at) => (at && role !== "isrc" ? words.ROLES[role].toLowerCase() : words.ROLES[role])).join(", ");
  return h("label.preview-grouping", {}, "Totals per day by",
    h("select", { name: "group_by", onchange: (event) => onChoose("group_by", event.target.value) },
      groups.map((group) => h("option", { value: group.join(), selected: group.join() === key.join() }, text(group)))));
}
