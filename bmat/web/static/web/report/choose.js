// Which other report this one is to be compared with.

import { get } from "../api.js";
import { ago, counted } from "../format.js";
import { cross } from "./song.js";
import { fill, h, latest, trouble } from "./parts.js";

const PAGE_SIZE = 50;
const PAUSE_MS = 200;

export function chooseOther(report, signal) {
  const list = h("div.chooser-list");
  const input = h("input", { type: "search", placeholder: "Search by file name", "aria-label": "Search by file name", autofocus: true, oninput: () => ask() });
  const dialog = h("dialog.chooser", { "aria-labelledby": "chooser-title", onclick: (event) => { if (event.target === dialog) dialog.close(); } },
    h("div.chooser-inner.stack", {},
      h("div.song-top", {}, h("h2", { id: "chooser-title" }, "Compare with another report"),
        h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, cross())),
      input, list));
  const ask = latest(find, PAUSE_MS, signal);

  async function find(own) {
    const query = new URLSearchParams({ status: "1", page_size: PAGE_SIZE, input_name: input.value });
    try {
      const page = await get(`/api/reports/?${query}`, { signal: own });
      const others = page.results.filter((other) => other.pid !== report.pid && other.output_file && other.group_by.join() === report.group_by.join());
      fill(list, others.length
        ? h("ul", {}, others.map((other) => h("li", {}, h("a.chooser-item", { href: `/reports/${report.pid}/compare/${other.pid}` },
            h("span", {}, other.input_name), h("span.faint", {}, `${ago(other.created)} · ${counted(other.rows_read, "row")}`)))))
        : h("p.note", {}, "There is no other report whose totals are by the same columns."));
    } catch (error) {
      if (error.name !== "AbortError") fill(list, trouble(error, () => ask({ isAtOnce: true })));
    }
  }

  signal.addEventListener("abort", () => dialog.remove(), { once: true });
  return () => {
    if (!dialog.isConnected) document.body.append(dialog);
    dialog.showModal();
    ask({ isAtOnce: true });
  };
}
