// Files that come in: dropped anywhere on the page, or chosen.

import { h } from "../dom.js";

// What systems put into folders by themselves.
const JUNK = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

// Calls `onFiles` with the files of each drop, those of folders among them.
export function acceptDrops(onFiles) {
  const overlay = h("div.drop-overlay", { hidden: true, "aria-hidden": "true" }, h("p", {}, "Drop to see how it is read"));
  let depth = 0;
  const show = (isShown) => {
    if (isShown) (document.querySelector("dialog[open]") ?? document.body).append(overlay);
    overlay.hidden = !isShown;
  };
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  addEventListener("drop", async (event) => {
    depth = 0;
    show(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    const files = await droppedFiles(event.dataTransfer);
    if (files.length) onFiles(files);
  });
}

// Lets somebody choose files, or a folder.
export function choose(onFiles, { isFolder = false } = {}) {
  const input = h("input", { type: "file", multiple: true, webkitdirectory: isFolder });
  input.addEventListener("change", () => {
    const files = isFolder ? usable([...input.files]) : [...input.files];
    if (files.length) onFiles(files);
  });
  input.click();
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

async function droppedFiles(transfer) {
  // The items are gone after the first pause.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return plain;
  return usable((await Promise.all(entries.map(filesOf))).flat());
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => { entry.file(resolve, reject); })];
  const reader = entry.createReader();
  const all = [];
  // A reader gives a hundred at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) break;
    all.push(...some);
  }
  return (await Promise.all(all.map(filesOf))).flat();
}

// The files of a folder that may be meant, by their names.
function usable(files) {
  const wanted = files.filter((file) => file.size > 0 && !JUNK.has(file.name));
  return wanted.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
}
