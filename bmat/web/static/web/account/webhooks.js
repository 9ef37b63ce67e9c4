// The addresses that are told of all of one's reports.

import { get, remove, send } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { date } from "../format.js";
import { confirmed, copyable, section, trouble } from "../report/parts.js";

const ADDRESS = "/api/webhooks/";

export function webhooksSection(signal) {
  const list = h("div.webhook-list");
  const made = h("div.webhook-made");
  const input = h("input", { type: "url", name: "url", required: true, maxlength: "2000", placeholder: "https://", autocomplete: "off" });

  async function draw() {
    try {
      const webhooks = await get(ADDRESS, { signal });
      fill(list, webhooks.length ? table(webhooks) : h("p.note", {}, "You have no webhooks."));
    } catch (error) {
      if (error.name !== "AbortError") fill(list, trouble(error, draw));
    }
  }

  function table(webhooks) {
    return h("div.totals-place", {}, h("table.tokens", {},
      h("caption.visually-hidden", {}, "Your webhooks"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Address"), h("th.tokens-wide", { scope: "col" }, "Made"), h("th", { scope: "col" }, "State"), h("th", { scope: "col" }, h("span.visually-hidden", {}, "Remove")))),
      h("tbody", {}, webhooks.map((webhook) => h("tr", {},
        h("th", { scope: "row" }, webhook.url),
        h("td.soft.tokens-wide", {}, date(webhook.created.slice(0, 10))),
        h("td.soft", {}, webhook.enabled ? "On" : "Off"),
        h("td.number", {}, h("button.button.bad.is-plain", { type: "button", "aria-label": `Remove ${webhook.url}`, onclick: () => takeAway(webhook) }, "Remove")))))));
  }

  async function takeAway(webhook) {
    if (!(await confirmed("Remove this webhook?", `${webhook.url} is told nothing more.`, "Remove"))) return;
    await tried(async () => {
      await remove(`${ADDRESS}${webhook.id}`);
      fill(made);
      announce("The webhook is removed.");
      await draw();
    });
  }

  async function make(event) {
    event.preventDefault();
    await tried(async () => {
      const body = JSON.stringify({ url: input.value });
      const response = await send(ADDRESS, { method: "POST", body, headers: { "Content-Type": "application/json" } });
      const webhook = await response.json();
      input.value = "";
      fill(made, h("div.card.stack-tight.is-fresh", { role: "status" }, h("h3", {}, "The webhook is made"), h("p.soft", {}, "Its receiver checks with this secret that it is told by this service. Copy it now: it is shown this once."), copyable(webhook.secret)));
      await draw();
    });
  }

  async function tried(work) {
    try {
      await work();
    } catch (error) {
      if (error.name !== "AbortError") fill(made, trouble(error));
    }
  }

  draw();
  return section("webhooks-section", "Webhooks",
    h("p.soft", {}, "bmat calls these addresses when one of your reports ends."),
    h("form.row.token-form", { onsubmit: make }, h("label.field", {}, "Address", input), h("button.button.primary", {}, "Add a webhook")),
    made, list);
}
