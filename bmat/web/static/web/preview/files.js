// The files of an upload of several: which of them is shown, and whether they are read alike.

import { h } from "../dom.js";
import { bytes } from "../format.js";
import { readingText } from "./words.js";

export function fileList({ files, shown, found, isEach, onShow, onRemove, onEach }) {
  const reference = found.get(files[0]);
  return h("div.preview-files", {},
    h("ul", { "aria-label": "Files" }, files.map((file) => item(file, file === shown, note(found.get(file), reference), onShow, onRemove))),
    h("fieldset.preview-each", {},
      h("legend.visually-hidden", {}, "What they become"),
      choice("One report of all", !isEach, () => onEach(false)),
      choice("One report each", isEach, () => onEach(true))),
  );
}

function item(file, isShown, text, onShow, onRemove) {
  return h(`li${isShown ? ".is-shown" : ""}`, {},
    h("button.preview-file", { type: "button", "aria-pressed": String(isShown), onclick: () => onShow(file) },
      h("span.preview-file-name", {}, file.name), h("span.faint", {}, bytes(file.size)),
      text && h(`span.preview-file-note${text.isBad ? ".is-bad" : ""}`, {}, text.text)),
    h("button.link", { type: "button", "aria-label": `Leave ${file.name} out`, onclick: () => onRemove(file) }, "Leave out"));
}

function choice(label, isChosen, onChoose) {
  return h("label", {}, h("input", { type: "radio", name: "each", checked: isChosen, onchange: onChoose }), label);
}

// What is to be said about how a file is read, beside the first one.
function note(one, reference) {
  if (!one) return null;
  if (one.error) return { text: one.error.message, isBad: true };
  if (one.records.some((record) => record.reason)) return { text: "some rows would not be counted", isBad: false };
  if (!reference || reference.error || readingText(one) === readingText(reference)) return null;
  return { text: readingText(one).toLowerCase(), isBad: false };
}
