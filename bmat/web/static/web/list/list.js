// The reports: found by their names and states, watched while they are processed.

import { post } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { compareBar } from "./compare.js";
import { Live } from "./live.js";
import { canUndo, isRemoved, removeLater, undo } from "./removal.js";
import { removedRow, row } from "./row.js";

const PAGE = 50;
const MOST_SHOWN = 500;
const SEARCH_MILLISECONDS = 250;
const STATES = { processing: 0, done: 1, failed: 2, cancelled: 3 };

export class ReportList {
  #rows = new Map();
  #picked = [];
  #page = null;
  #limit = PAGE;
  #timer = 0;

  // `onCount(hasReports)` is told whether there are any reports, whatever is looked for.
  constructor({ query, signal, onCount }) {
    Object.assign(this, { signal, onCount });
    this.name = query.get("q") ?? "";
    this.state = query.get("state") in STATES ? query.get("state") : "";
    this.live = new Live({ signal, pathOf: () => this.#path(), onPage: (page) => this.#show(page), onAway: (isAway) => { this.away.hidden = !isAway; } });
    this.compare = compareBar(() => this.#pickNone());
    this.#build();
    document.body.append(this.compare.element);
    signal.addEventListener("abort", () => this.compare.element.remove(), { once: true });
  }

  run() {
    return this.live.run();
  }

  refresh() {
    this.live.now();
  }

  #build() {
    const search = h("input", { type: "search", name: "q", value: this.name, placeholder: "Search by file name", "aria-label": "Search reports by file name", oninput: (event) => this.#narrow({ name: event.target.value }, SEARCH_MILLISECONDS) });
    const state = h("select", { name: "state", "aria-label": "Show reports that are", onchange: (event) => this.#narrow({ state: event.target.value }) },
      ["", ...Object.keys(STATES)].map((name) => h("option", { value: name, selected: name === this.state }, name ? name[0].toUpperCase() + name.slice(1) : "All states")));
    this.away = h("p.caution", { hidden: true, role: "status" }, "The service does not answer. The list goes on once it does.");
    this.body = h("tbody");
    this.table = h("table.list", {}, h("caption.visually-hidden", {}, "Reports, newest first"), heads(), this.body);
    this.empty = h("div.list-empty");
    this.more = h("div.list-more");
    this.trouble = h("div.list-problem");
    this.element = h("section.stack", { "aria-labelledby": "reports-title", hidden: true },
      h("div.spread", {}, h("h1", { id: "reports-title" }, "Reports"), h("div.list-tools", {}, search, state)),
      this.away, this.trouble, this.table, this.empty, this.more);
    this.fields = { search, state };
  }

  #path() {
    const query = new URLSearchParams({ page_size: String(this.#limit) });
    if (this.name.trim()) query.set("input_name", this.name.trim());
    if (this.state) query.set("status", String(STATES[this.state]));
    return `/api/reports/?${query}`;
  }

  #narrow(values, milliseconds = 0) {
    Object.assign(this, values);
    this.#limit = PAGE;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const query = new URLSearchParams();
      if (this.name) query.set("q", this.name);
      if (this.state) query.set("state", this.state);
      history.replaceState(history.state, "", query.size ? `/?${query}` : "/");
      this.live.now();
    }, milliseconds);
  }

  get #isNarrowed() {
    return Boolean(this.name.trim() || this.state);
  }

  #show(page) {
    this.#page = page;
    this.#draw();
  }

  #draw() {
    const page = this.#page;
    const shown = page.results.filter((report) => !isRemoved(report.pid) || canUndo(report.pid));
    const hasReports = shown.length > 0 || this.#isNarrowed;
    this.element.hidden = !hasReports;
    this.onCount(hasReports);
    this.table.hidden = !shown.length;
    this.#drawRows(shown);
    fill(this.empty, !shown.length && this.#isNarrowed && [
      h("p.soft", {}, "No report is like that."),
      h("button.button", { type: "button", onclick: () => this.#showAll() }, "Show all reports"),
    ]);
    const isMore = Boolean(page.next);
    fill(this.more, isMore && (this.#limit < MOST_SHOWN
      ? h("button.button", { type: "button", onclick: () => this.#showMore() }, "Show more")
      : h("p.faint", {}, `These are the ${MOST_SHOWN} newest. Search by name for older ones.`)));
  }

  #drawRows(reports) {
    const elements = reports.map((report) => {
      if (canUndo(report.pid)) return this.#removed(report);
      if (!(this.#rows.get(report.pid)?.update)) this.#rows.set(report.pid, row(report, this));
      const view = this.#rows.get(report.pid);
      view.update(report, this.#picked.some((one) => one.pid === report.pid));
      return view.element;
    });
    const isSame = elements.length === this.body.childElementCount && elements.every((element, at) => this.body.children[at] === element);
    if (isSame) return;
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    fill(this.body, elements);
    if (focused?.isConnected) focused.focus();
  }

  #removed(report) {
    const known = this.#rows.get(report.pid);
    if (known && !known.update) return known.element;
    const element = removedRow(report, () => {
      undo(report.pid);
      this.#rows.delete(report.pid);
      this.#draw();
      this.#rows.get(report.pid)?.element.querySelector("a")?.focus();
      announce(`${report.input_name} is kept.`);
    });
    this.#rows.set(report.pid, { element });
    return element;
  }

  #showMore() {
    this.#limit = Math.min(MOST_SHOWN, this.#limit + PAGE);
    this.live.now();
  }

  #showAll() {
    this.fields.search.value = this.fields.state.value = "";
    this.#narrow({ name: "", state: "" });
    this.fields.search.focus();
  }

  // What the rows can do.

  pick(report, isPicked) {
    const others = this.#picked.filter((one) => one.pid !== report.pid);
    this.#picked = isPicked ? [...others.slice(-1), report] : others;
    this.compare.show(this.#picked);
    this.#draw();
  }

  #pickNone() {
    this.#picked = [];
    this.compare.show([]);
    this.#draw();
  }

  cancel(report) {
    return this.#change(`/api/reports/${report.pid}/cancel`);
  }

  retry(report) {
    return this.#change(`/api/reports/${report.pid}/retry`);
  }

  async #change(path) {
    try {
      await post(path);
      fill(this.trouble);
    } catch (error) {
      // It has ended meanwhile, as the list shows.
      if (error.status !== 409) this.#say(error);
    }
    this.live.now();
  }

  remove(report) {
    if (this.#picked.some((one) => one.pid === report.pid)) this.pick(report, false);
    removeLater(report.pid, (error) => {
      this.#rows.delete(report.pid);
      if (error) this.#say(error);
      if (!this.signal.aborted) this.#draw();
    });
    this.#draw();
    this.#rows.get(report.pid).element.querySelector("button").focus();
    announce(`${report.input_name} is deleted. It can be undone for ten seconds.`);
  }

  #say(error) {
    fill(this.trouble, h("p.alert", { role: "alert" }, error.message));
  }
}

function heads() {
  const numbers = ["Rows", "Rejected", "Size", "Took", "Uploaded"];
  return h("thead", {}, h("tr", {},
    h("th.list-pick", { scope: "col" }, h("span.visually-hidden", {}, "Compare")),
    h("th", { scope: "col" }, "File"),
    h("th.list-state", { scope: "col" }, "State"),
    numbers.map((text) => h("th.number.list-wide", { scope: "col" }, text)),
    h("th.list-acts", { scope: "col" }, h("span.visually-hidden", {}, "Actions"))));
}
