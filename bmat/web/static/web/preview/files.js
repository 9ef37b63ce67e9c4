// The files of an upload of several: which of them is shown, and whether they are read alike.

import { h } from "../dom.js";
import { bytes, counted } from "../format.js";
import { listed, readingText, troubleText } from "./words.js";

export function fileList({ files, shown, found, onShow, onRemove }) {
  const reference = found.get(files[0]);
  const bad = files.filter((file) => found.get(file)?.error);
  return [
    h("ul.preview-files", { "aria-label": "Files" }, files.map((file) => item(file, file === shown, note(found.get(file), reference), onShow, onRemove))),
    bad.length > 0 && bad.length < files.length && h("div.caution.row.preview-offer", {},
      h("span", {}, `${bad.length > 3 ? counted(bad.length, "file") : listed(bad.map((file) => file.name))} cannot be read like this.`),
      h("button.button", { type: "button", onclick: () => onRemove(bad) }, bad.length === 1 ? "Leave it out" : "Leave them out")),
  ];
}

// Whether they become one report: `onEach(isEach)` is told.
export function reportChoice(onEach) {
  return h("fieldset.preview-each", {},
    h("legend.visually-hidden", {}, "What they become"),
    choice("One report of all", true, () => onEach(false)),
    choice("One report each", false, () => onEach(true)));
}

function item(file, isShown, text, onShow, onRemove) {
  return h(`li${isShown ? ".is-shown" : ""}`, {},
    h("button.preview-file", { type: "button", "aria-pressed": String(isShown), onclick: () => onShow(file) },
      h("span.preview-file-name", {}, file.name), h("span.faint", {}, bytes(file.size)),
      text && h(`span.preview-file-note${text.isBad ? ".is-bad" : ""}`, { title: text.title }, text.text)),
    h("button.link", { type: "button", "aria-label": `Leave ${file.name} out`, onclick: () => onRemove([file]) }, "Leave out"));
}

function choice(label, isChosen, onChoose) {
  return h("label", {}, h("input", { type: "radio", name: "each", checked: isChosen, onchange: onChoose }), label);
}

// What is to be said about how a file is read, beside the first one.
function note(one, reference) {
  if (!one) return null;
  if (one.error) return { text: troubleText(one.error), title: one.error.message, isBad: true };
  if (one.records.some((record) => record.reason)) return { text: "some rows would not be counted", isBad: false };
  if (!reference || reference.error || readingText(one) === readingText(reference)) return null;
  return { text: readingText(one), isBad: false };
}
