// The reports, newest first.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { ago, counted } from "../format.js";

export async function show(root, _parameters, { signal }) {
  const page = await get("/api/reports/?page_size=50", { signal });
  fill(root, h("h1", {}, "Reports"), h("ul.stack-tight", {}, page.results.map(item)));
}

function item(report) {
  return h("li.spread", {},
    h("a", { href: `/reports/${report.pid}` }, report.input_name),
    h(`span.state.${report.state}`, {}, report.state),
    h("span.faint", {}, counted(report.rows_read, "row"), " · ", ago(report.created)),
  );
}
