// The account of whoever is logged in: tokens, webhooks, and the way out of all of them.

import { webhooksSection } from "../account/webhooks.js";
import { get, post, remove, send, csrfToken } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { date, time } from "../format.js";
import { confirmed, copyable, section, trouble } from "../report/parts.js";
import { title } from "../router.js";

const DAY_CHOICES = { 7: "7 days", 30: "30 days", 90: "90 days", 365: "a year" };

export async function show(root, _parameters, { signal }) {
  title("Account");
  const { requiresLogin, user } = document.body.dataset;
  if (!user) {
    const text = requiresLogin === "yes" ? "You are not logged in." : "This service asks nobody to log in. There are no accounts here, and programs need no token.";
    fill(root, h("div.stack.account", {}, h("h1", {}, "Account"), h("p.note", {}, text)));
    return;
  }
  const list = h("div.token-list");
  const made = h("div.token-made");

  async function draw() {
    try {
      const tokens = await get("/api/tokens/", { signal });
      fill(list, tokens.length ? table(tokens) : h("p.note", {}, "You have no tokens."));
    } catch (error) {
      if (error.name !== "AbortError") fill(list, trouble(error, draw));
    }
  }

  function table(tokens) {
    return h("div.totals-place", {}, h("table.tokens", {},
      h("caption.visually-hidden", {}, "Your tokens"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Name"), ["Begins with", "Made"].map((name) => h("th.tokens-wide", { scope: "col" }, name)), h("th", { scope: "col" }, "Valid until"), h("th", { scope: "col" }, h("span.visually-hidden", {}, "Revoke")))),
      h("tbody", {}, tokens.map((token) => h("tr", {},
        h("th", { scope: "row" }, token.name ?? h("span.soft", {}, "From a login")),
        h("td.tokens-wide", {}, h("code", {}, `${token.starts_with}…`)),
        h("td.soft.tokens-wide", {}, date(token.created.slice(0, 10))),
        h("td.soft", { title: token.expiry && time(token.expiry) }, token.expiry ? date(token.expiry.slice(0, 10)) : "For ever"),
        h("td.number", {}, h("button.button.bad.is-plain", { type: "button", "aria-label": `Revoke ${token.name ?? token.starts_with}`, onclick: () => revoke(token) }, "Revoke")))))));
  }

  async function revoke(token) {
    const name = token.name ?? `${token.starts_with}…`;
    if (!(await confirmed(`Revoke ${name}?`, "Programs that send it are refused from now on.", "Revoke"))) return;
    await tried(async () => {
      await remove(`/api/tokens/${token.id}`);
      fill(made);
      announce(`${name} is revoked.`);
      await draw();
    });
  }

  async function make(event) {
    event.preventDefault();
    const form = event.target;
    await tried(async () => {
      const body = JSON.stringify({ name: form.elements.name.value, ...(form.elements.days.value ? { days: Number(form.elements.days.value) } : {}) });
      const response = await send("/api/tokens/", { method: "POST", body, headers: { "Content-Type": "application/json" } });
      const token = await response.json();
      form.reset();
      fill(made, h("div.card.stack-tight.is-fresh", { role: "status" }, h("h3", {}, `${token.name} is made`), h("p.soft", {}, "Copy it now: it is shown this once."), copyable(token.token)));
      await draw();
    });
  }

  async function leave() {
    if (!(await confirmed("Log out everywhere?", "All your tokens are revoked, and you are logged out of every browser, this one too.", "Log out everywhere"))) return;
    await tried(async () => {
      await post("/api/auth/logoutall");
      location.assign("/login");
    });
  }

  async function tried(work) {
    try {
      await work();
    } catch (error) {
      if (error.name !== "AbortError") fill(made, trouble(error));
    }
  }

  fill(root, h("div.stack-loose.account", {},
    h("div.stack-tight", {}, h("h1", {}, "Account"), h("p.soft", {}, `You are logged in as ${user}.`)),
    section("tokens-section", "Tokens",
      h("p.soft", {}, "A program sends a token with each request: ", h("code", {}, "Authorization: Token …")),
      h("form.row.token-form", { onsubmit: make },
        h("label.field", {}, "What it is for", h("input", { type: "text", name: "name", required: true, maxlength: "60", autocomplete: "off" })),
        h("label.field", {}, "Valid for", h("select", { name: "days" }, h("option", { value: "" }, "The longest allowed"), Object.entries(DAY_CHOICES).map(([days, text]) => h("option", { value: days }, text)))),
        h("button.button.primary", {}, "Make a token")),
      made, list),
    requiresLogin === "yes" && webhooksSection(signal),
    section("leave-section", "Log out", h("div.row", {},
      h("form", { method: "post", action: "/logout" }, h("input", { type: "hidden", name: "csrfmiddlewaretoken", value: csrfToken() }), h("button.button", {}, "Log out here")),
      h("button.button.bad", { type: "button", onclick: leave }, "Log out everywhere")))));
  await draw();
}
