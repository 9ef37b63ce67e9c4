// The totals as files, and how a program gets the same.

import { ApiError, pause, send } from "../api.js";
import { announce } from "../dom.js";
import { copyable, fill, h, menu } from "./parts.js";

const FORMATS = [
  ["CSV for Excel", "Songs like =1+1 stay text", "format=csv&excel_safe=1", ".csv"],
  ["Parquet", "For pandas, DuckDB and Spark", "format=parquet", ".parquet"],
  ["JSON lines", "One total on each line", "format=jsonl", ".jsonl"],
];

export function downloads(report, signal) {
  const path = `/api/reports/${report.pid}/output`;
  const status = h("p.faint", { role: "status", hidden: true });
  const command = curl(path);
  const more = menu("Other formats",
    h("ul.menu-list", {}, FORMATS.map(([name, about, query]) => h("li", {}, h("button.menu-item", { type: "button", onclick: () => fetchFile(name, `${path}?${query}`) }, h("span", {}, name), h("span.faint", {}, about))))),
    status,
    h("div.menu-part.stack-tight", {}, h("p.faint", {}, "The same from a command line"), copyable(command)));

  // Other formats are written when they are first wanted: then the download starts by itself.
  async function fetchFile(name, address) {
    try {
      let response = await send(address, { method: "HEAD", signal });
      while (response.status === 202) {
        tell(`${name} is being written …`);
        await pause(Number(response.headers.get("Retry-After")) || 1, signal);
        response = await send(address, { method: "HEAD", signal });
      }
      tell(`${name}: the download has started.`);
      const link = h("a", { href: address, download: true });
      // A click elsewhere would close the menu.
      more.append(link);
      link.click();
      link.remove();
    } catch (error) {
      if (error.name === "AbortError") return;
      // A HEAD has no body that would say why.
      tell(error instanceof ApiError && error.status ? `${name} cannot be had now (${error.status}). CSV can.` : error.message);
    }
  }

  function tell(text) {
    status.hidden = false;
    fill(status, text);
    announce(text);
  }

  return [h("a.button.primary", { href: path, download: true }, "Download CSV"), more];
}

function curl(path) {
  const token = document.body.dataset.requiresLogin === "yes" ? ` -H "Authorization: Token $BMAT_TOKEN"` : "";
  return `curl -OJ${token} ${location.origin}${path}`;
}
