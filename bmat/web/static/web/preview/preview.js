// What is shown of files before they are sent: how they will be read, and menus to change that.

import { announce, fill, h } from "../dom.js";
import { bytes, counted } from "../format.js";
import { fileList, reportChoice } from "./files.js";
import { grouping, settings } from "./menus.js";
import * as reading from "./reading.js";
import { table } from "./table.js";
import { DATE_FORMATS, ENCODINGS, THOUSANDS, doubtText, inPageWords, menuFor, readingText, rolesText } from "./words.js";

const DEBOUNCE_MILLISECONDS = 120;
// So many files are looked at; of more, each finds out how it is read.
const MOST_INSPECTED = 100;
const AT_ONCE = 3;
// What no run would make better.
const CERTAIN = ["unreadable", "empty_file"];
const OFFERS = {
  date_format: (value) => `Read dates as ${DATE_FORMATS[value]}`,
  thousands: (value) => `Read thousands as ${THOUSANDS[value]}`,
  encoding: (value) => `Read it as ${ENCODINGS[value]}`,
  quoting: () => "Read quotes as ordinary characters",
};

let open = null;

// Shows the files; `{ files, options, isEach }` once somebody wants their totals, null if not.
export function preview(files) {
  open?.close(null);
  return new Promise((resolve) => {
    open = new Preview(files, (answer) => {
      open = null;
      resolve(answer);
    });
  });
}

class Preview {
  #files;
  #answer;
  #shown = 0;
  #given = {};
  #found = new Map(); // by file: how it is read with the options that are given
  #last = null; // the reading that is shown
  #isEach = false;
  #isMatched = false;
  #asked = new AbortController();
  #timer = 0;
  #drawn = {};

  constructor(files, answer) {
    [this.#files, this.#answer] = [[...files], answer];
    this.#build();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.#draw();
    this.#ask();
  }

  close(answer) {
    this.#asked.abort();
    clearTimeout(this.#timer);
    this.dialog.close();
    this.dialog.remove();
    this.#answer(answer);
  }

  #build() {
    this.title = h("h2", { id: "preview-title" });
    this.about = h("p.faint");
    this.list = h("div.stack-tight");
    this.each = reportChoice((isEach) => { this.#isEach = isEach; });
    this.notes = h("div.preview-notes.stack-tight", { "aria-live": "polite" });
    this.place = h("div.preview-place", { tabindex: "0", role: "region", "aria-label": "The first rows" });
    this.menus = h("div.preview-menus");
    this.summary = h("span");
    this.details = h("details.preview-details", {},
      h("summary", {}, this.summary, h("span.preview-change.when-closed", {}, "Change"), h("span.preview-change.when-open", {}, "Hide")), this.menus);
    this.groupPlace = h("div");
    this.send = h("button.button.primary", { type: "submit" });
    this.anyway = h("button.link", { type: "button", onclick: () => this.#finish() }, "Upload as it is");
    this.dialog = h("dialog.preview", { "aria-labelledby": "preview-title", oncancel: (event) => { event.preventDefault(); this.close(null); } },
      h("form.preview-form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); this.#finish(); } },
        h("header.preview-top", {}, h("div.preview-titles", {}, this.title, this.about),
          h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => this.close(null) }, cross())),
        h("div.preview-body", {}, this.list, this.each, this.details, this.notes, this.place),
        h("footer.preview-bottom", {}, this.groupPlace,
          h("div.row", {}, this.anyway, h("button.button", { type: "button", onclick: () => this.close(null) }, "Cancel"), this.send)),
      ));
  }

  get #file() {
    return this.#files[this.#shown];
  }

  // Asks how the shown file is read, and then the others. The old reading stays until then.
  #ask({ isDebounced = false } = {}) {
    this.#asked.abort();
    const { signal } = (this.#asked = new AbortController());
    this.#found = new Map();
    clearTimeout(this.#timer);
    this.place.setAttribute("aria-busy", "true");
    this.#timer = setTimeout(() => this.#read(signal), isDebounced ? DEBOUNCE_MILLISECONDS : 0);
  }

  async #read(signal) {
    const file = this.#file;
    try {
      const found = await this.#inspected(file, signal);
      if (this.#matches(found)) return;
      this.#show(found);
      this.#offer(file, found, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#refused(error);
    }
    const others = this.#files.slice(0, MOST_INSPECTED).filter((other) => other !== file);
    const work = async () => {
      for (let other = others.shift(); other && !signal.aborted; other = others.shift()) {
        await this.#inspected(other, signal).catch((error) => this.#found.set(other, { ...EMPTY, error }));
        if (signal.aborted) return;
        this.#drawList();
        this.#drawControls();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #inspected(file, signal) {
    if (!this.#found.has(file)) {
      const found = await reading.inspect(file, this.#given, signal);
      signal.throwIfAborted();
      this.#found.set(file, found);
    }
    return this.#found.get(file);
  }

  // Whether columns whose names nobody knows were taken for the missing ones: then it is asked again.
  #matches(found) {
    if (found.error?.code !== "missing_column" || this.#given.preset || !found.columns.length) return false;
    const columns = reading.likelyColumns(found.columns, reading.missingRoles(found.columns, this.#given, "default"));
    if (!columns) return false;
    this.#isMatched = true;
    this.#given = reading.optionsOf(columns, this.#given, "default");
    this.#ask();
    return true;
  }

  #show(found) {
    const isFirst = !this.#last;
    this.#last = found;
    this.#draw();
    if (isFirst) this.#reveal();
    const hasFocus = this.dialog.contains(document.activeElement) && document.activeElement !== this.dialog;
    if (isFirst && (!hasFocus || document.activeElement.matches(".icon-button"))) (this.send.disabled ? this.place.querySelector("select") ?? this.place : this.send).focus();
    announce(found.error ? this.#trouble(found) : `Read as ${readingText(found)}. ${doubtText(found)}`);
  }

  // Of many columns those are shown first that are read.
  #reveal() {
    const read = [...this.place.querySelectorAll("th.is-read")];
    if (!read.length) return;
    const right = (element) => element.getBoundingClientRect().right;
    const isHidden = right(read.at(-1)) > right(this.place);
    if (isHidden) this.place.scrollLeft = read[0].getBoundingClientRect().left - right(this.place.querySelector(".preview-line"));
  }

  #refused(error) {
    const problems = Object.values(error.fields ?? {}).flat();
    this.#last = { ...EMPTY, error: { code: error.code, message: problems[0] ?? error.message } };
    this.#draw();
  }

  #trouble(found) {
    if (found.error.code !== "missing_column" || !found.columns.length) return inPageWords(found.error.message);
    const missing = reading.missingRoles(found.columns, this.#given, found.preset);
    return missing.length ? `Say which column holds ${rolesText(missing)}.` : inPageWords(found.error.message);
  }

  // Says with which options more would be counted, where there are some; else shows the menus where
  // one of them may help.
  async #offer(file, found, signal) {
    const offer = await reading.better(file, this.#given, found, signal).catch(() => null);
    if (signal.aborted) return;
    if (!offer) {
      const wanted = this.menus.querySelector(".is-wanted");
      if (!wanted) return;
      this.details.open = true;
      this.notes.lastElementChild?.append(` Another choice under “${wanted.firstChild.textContent}” may help.`);
      return;
    }
    const place = this.notes.lastElementChild ?? this.notes.appendChild(h("div.caution"));
    place.append(h("div.row.preview-offer", {}, offer.values.map((value) =>
      h("button.button", { type: "button", onclick: () => this.#choose(offer.name, value) }, OFFERS[offer.name](value)))));
  }

  #choose(name, value) {
    if (name === "preset") {
      // What was said about another format is not about this one.
      const { group_by: groupBy } = this.#given;
      this.#given = groupBy ? { group_by: groupBy } : {};
    }
    const { [name]: _old, ...others } = this.#given;
    this.#given = value ? { ...others, [name]: value } : others;
    this.#isMatched &&= name === "group_by";
    this.#ask({ isDebounced: true });
    this.#drawControls();
  }

  #role(index, role) {
    const columns = reading.withRole(this.#last.columns, index, role);
    const { preset } = this.#last;
    this.#isMatched = false;
    if (reading.missingRoles(columns, this.#given, preset).length) {
      // Nothing can be asked until each has a column.
      this.#asked.abort();
      this.#show({ ...this.#last, columns, error: { code: "missing_column", message: "" } });
      return;
    }
    this.#given = reading.optionsOf(columns, this.#given, preset);
    this.#last = { ...this.#last, columns };
    this.#draw();
    this.#ask({ isDebounced: true });
  }

  #remove(removed) {
    const shown = this.#file;
    this.#files = this.#files.filter((file) => !removed.includes(file));
    if (!this.#files.length) return this.close(null);
    this.#shown = Math.max(0, this.#files.indexOf(shown));
    if (removed.includes(shown)) this.#last = null;
    return this.#ask();
  }

  #draw() {
    this.#drawList();
    this.#drawControls();
    this.#drawNotes();
    const found = this.#last;
    if (!found) return;
    if (!this.#asked.signal.aborted && this.#found.has(this.#file)) this.place.removeAttribute("aria-busy");
    this.place.hidden = !found.columns.length;
    const focused = document.activeElement?.closest?.(".preview-role")?.getAttribute("aria-label");
    const { scrollLeft, scrollTop } = this.place;
    const canChoose = Boolean(found.header_line) && found.delimiter !== "";
    fill(this.place, found.columns.length ? table(found, canChoose ? (index, role) => this.#role(index, role) : null, this.#isPending) : []);
    Object.assign(this.place, { scrollLeft, scrollTop });
    if (focused) [...this.place.querySelectorAll("select")].find((menu) => menu.getAttribute("aria-label") === focused)?.focus();
  }

  #drawList() {
    const files = this.#files;
    const total = files.reduce((sum, file) => sum + file.size, 0);
    // What nobody sees a difference in stays: somebody may be about to click it.
    if (!this.#isNew("list", [files.map((file) => [file.name, this.#found.get(file) ?? null]), this.#shown])) return;
    fill(this.title, files.length === 1 ? files[0].name : counted(files.length, "file"));
    fill(this.about, bytes(total));
    fill(this.list, files.length > 1 && fileList({
      files, shown: this.#file, found: this.#found,
      onShow: (file) => { this.#shown = files.indexOf(file); this.#last = null; this.#ask(); },
      onRemove: (removed) => this.#remove(removed),
    }));
    this.each.hidden = files.length === 1;
  }

  #drawControls() {
    const found = this.#last;
    const trouble = found?.error ?? null;
    const reasons = found ? found.records.map((record) => record.reason).filter(Boolean) : [];
    const wanted = trouble ? menuFor(trouble.code) : reasons.map(menuFor).find(Boolean);
    const files = this.#files;
    const count = files.length;
    const isOtherInTrouble = files.some((file) => this.#found.get(file)?.error) || this.#tooLarge.length > 0;
    fill(this.send, count === 1 ? "Total this file" : `Total ${counted(count, "file")}`);
    this.send.disabled = !found || Boolean(trouble) || isOtherInTrouble;
    this.anyway.hidden = !(trouble || isOtherInTrouble) || CERTAIN.includes(trouble?.code) || (this.#isPending && count === 1);
    if (!this.#isNew("controls", [this.#given, found, wanted])) return;
    const name = this.menus.querySelector("select:focus")?.name ?? this.groupPlace.querySelector("select:focus")?.name;
    this.summary.textContent = found ? (trouble ? "How it is read" : `Read as ${readingText(found)}`) : "Reading the first rows …";
    fill(this.menus, settings(this.#given, found, wanted, (option, value) => this.#choose(option, value)));
    fill(this.groupPlace, grouping(reading.key(this.#given), (option, value) => this.#choose(option, value)));
    if (name) this.dialog.querySelector(`select[name="${name}"]`)?.focus();
  }

  get #tooLarge() {
    const most = Number(document.body.dataset.maxUploadBytes);
    return this.#files.filter((file) => file.size > most);
  }

  // Whether this is not what a part of the dialog was drawn from the last time.
  #isNew(part, values) {
    const now = JSON.stringify(values, (_key, value) => (typeof value === "bigint" ? String(value) : value));
    const isNew = this.#drawn[part] !== now;
    this.#drawn[part] = now;
    return isNew;
  }

  // Whether somebody has yet to say what a column is.
  get #isPending() {
    return this.#last?.error?.code === "missing_column" && this.#last.columns.length > 0;
  }

  #drawNotes() {
    const found = this.#last;
    const notes = [];
    if (found?.error) notes.push(h(this.#isPending ? "div.caution" : "div.alert", { role: this.#isPending ? null : "alert" }, this.#trouble(found)));
    else if (found && this.#isMatched) notes.push(h("div.caution", {}, "The columns were matched by their names. Look whether they are the right ones."));
    for (const file of this.#tooLarge) {
      notes.push(h("div.alert", { role: "alert" }, `${file.name} is larger than ${bytes(Number(document.body.dataset.maxUploadBytes))}, the most that this service takes.`));
    }
    const doubt = found && !found.error ? doubtText(found) : "";
    if (doubt) notes.push(h("div.caution", {}, doubt));
    fill(this.notes, notes);
  }

  #finish() {
    const [files, given] = [this.#files, this.#given];
    const all = files.map((file) => this.#found.get(file));
    const isKnown = all.every((found) => found && !found.error);
    const each = isKnown ? all.map((found) => reading.resolved(given, found)) : files.map(() => given);
    const options = isKnown ? reading.common(given, each) : given;
    this.close({ files, isEach: this.#isEach && files.length > 1, options, optionsOfEach: each });
  }
}

const EMPTY = { encoding: null, delimiter: null, header_line: null, preset: null, columns: [], records: [], is_cut: false };

export function cross() {
  return h("svg", { viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" },
    h("path", { d: "M4 4l8 8M12 4l-8 8", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round" }));
}
