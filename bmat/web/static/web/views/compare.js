// Two reports side by side: what is new, gone, up and down.

import { get } from "../api.js";
import { announce, fill, h } from "../dom.js";
import { count, counted, periodStart, signedShare, time } from "../format.js";
import { ROLES } from "../preview/words.js";
import { bar, choose, jump, keyText, latest, segmented, trouble } from "../report/parts.js";
import { ratio } from "../report/periods.js";
import { title } from "../router.js";

const LIMIT = 20;
const KINDS = { up: "Up", down: "Down", new: "New", gone: "Gone" };
const ABOUT = { up: "more plays than before", down: "fewer plays than before", new: "not in the earlier report", gone: "in the earlier report alone" };
const GRAINS = { "": "Whole period", day: "Day", week: "Week", month: "Month", quarter: "Quarter", year: "Year" };
const ORDERS = { plays: "Plays", percent: "Percent" };

export async function show(root, [laterPid, earlierPid], { signal, query }) {
  const [later, earlier] = await Promise.all([laterPid, earlierPid].map((pid) => get(`/api/reports/${pid}`, { signal })));
  title(`${later.input_name} and ${earlier.input_name}`);
  const chosen = { grain: query.get("grain") ?? "", order: query.get("order") ?? "plays" };
  const body = h("div.stack-loose", { "aria-live": "off" }, h("p.note", {}, "Comparing …"));
  const ask = latest(find, 0, signal);

  function change(name, value) {
    chosen[name] = value;
    const shown = new URLSearchParams(Object.entries(chosen).filter(([, text]) => text && text !== "plays"));
    history.replaceState(null, "", location.pathname + (shown.size ? `?${shown}` : ""));
    ask();
  }

  async function find(own) {
    body.setAttribute("aria-busy", "true");
    const given = new URLSearchParams({ with: earlierPid, limit: LIMIT, grain: chosen.grain, order: chosen.order });
    try {
      draw(await get(`/api/reports/${laterPid}/compare?${given}`, { signal: own }));
    } catch (error) {
      if (error.name !== "AbortError") fill(body, trouble(error, () => ask()));
    } finally {
      if (!own.aborted) body.removeAttribute("aria-busy");
    }
  }

  function draw(found) {
    const sum = (name) => Object.values(found).reduce((all, kind) => all + BigInt(kind[name]), 0n);
    const [before, after] = [sum("plays_before"), sum("plays")];
    const isSame = Object.keys(KINDS).every((kind) => !found[kind].count);
    const noun = chosen.grain || later.group_by.join() !== "song" ? "totals" : "songs";
    fill(body,
      h("p.accounting-rows", {}, h("b", {}, count(before)), " plays before, ", h("b", {}, count(after)), " now", after === before ? "" : [": ", h("b", {}, signed(after - before)), before > 0n && ` (${signedShare(ratio(after - before, before))})`], "."),
      h("ul.kinds", {}, Object.entries(KINDS).map(([kind, name]) => h("li", {}, h(found[kind].count ? "a.kind" : "div.kind", found[kind].count ? { href: `#${kind}`, onclick: jump } : {},
        h("span.kind-name", {}, name), h("strong", {}, count(found[kind].count)), h("span.faint", {}, `${noun}, ${signed(BigInt(found[kind].plays) - BigInt(found[kind].plays_before))} plays`))))),
      isSame ? h("p.soft", {}, "Both reports have the same totals.") : found.same.count > 0 && h("p.soft", {}, `${counted(found.same.count, noun.slice(0, -1))} with as many plays as before.`),
      Object.entries(KINDS).map(([kind, name]) => found[kind].count > 0 && changes(kind, name, found[kind])));
    announce("Compared.");
  }

  function changes(kind, name, { count: number, largest }) {
    const most = largest.reduce((best, each) => (size(each) > best ? size(each) : best), 1n);
    const hasDates = Boolean(chosen.grain);
    const numbers = hasBoth(kind) ? ["Before", "Now"].map((text) => h("th.number.changes-wide", { scope: "col" }, text)) : [];
    const id = `${kind}-heading`;
    return h("section.stack-tight", { id: kind, "aria-labelledby": id },
      h("div.section-head", {}, h("h2", { id, tabindex: "-1" }, `${name} · ${count(number)}`), h("span.faint", {}, number > largest.length ? `${ABOUT[kind]}, the ${largest.length} largest` : ABOUT[kind])),
      h("div.totals-place", {}, h("table.changes", {},
        h("caption.visually-hidden", {}, `${name}: ${ABOUT[kind]}`),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, later.group_by.map((each) => ROLES[each]).join(", ")), hasDates && h("th.changes-date", { scope: "col" }, "Date"),
          numbers, h("th.number", { scope: "col" }, hasBoth(kind) ? "Difference" : "Plays"), h("th.changes-bar", { scope: "col" }, h("span.visually-hidden", {}, "As a bar")), hasBoth(kind) && h("th.number.changes-percent", { scope: "col" }, "Percent"))),
        h("tbody", {}, largest.map((each) => row(kind, each, most, hasDates))))));
  }

  function row(kind, each, most, hasDates) {
    const key = later.group_by.map((name) => each[name]);
    const { main, others } = keyText(later.group_by, key);
    const of = kind === "gone" ? earlierPid : laterPid;
    const query = new URLSearchParams(later.group_by.map((name, index) => [name, key[index]]));
    return h("tr", {},
      h("th.is-text.is-wide", { scope: "row" }, h("a.key-link", { href: `/reports/${of}?${query}`, title: main }, h("bdi", {}, main), others && h("span.faint", {}, ` ${others}`))),
      hasDates && h("td.changes-date", {}, periodStart(each.date, chosen.grain)),
      hasBoth(kind) && [each.plays_before, each.plays].map((plays) => h("td.number.changes-wide", {}, count(plays))),
      h("td.number", {}, hasBoth(kind) ? signed(BigInt(each.difference)) : count(size(each))),
      h("td.changes-bar", {}, bar(ratio(size(each), most), BigInt(each.difference) < 0n ? ".is-less" : "")),
      hasBoth(kind) && h("td.number.soft.changes-percent", {}, signedShare(each.percent / 100)));
  }

  fill(root, h("div.report.stack-loose", {},
    h("div.stack-tight", {},
      h("nav", { "aria-label": "Path" }, h("a.crumb", { href: `/reports/${laterPid}` }, later.input_name)),
      h("h1", {}, "What has changed"),
      h("div.sides", {}, side("Before", earlier), h("span.sides-arrow", { "aria-hidden": "true" }, "→"), side("Now", later), h("a.link.is-quiet", { href: `/reports/${earlierPid}/compare/${laterPid}` }, "Swap"))),
    h("div.row", {}, choose("By", "grain", GRAINS, chosen.grain, (grain) => change("grain", grain)), h("div.row.choice", {}, h("span", {}, "Largest by"), segmented("order", "Largest by", ORDERS, chosen.order, (order) => change("order", order)))),
    body));
  ask();
}

// What is new or gone has one number of plays, all others have two.
const hasBoth = (kind) => kind === "up" || kind === "down";

const size = ({ difference }) => (BigInt(difference) < 0n ? -BigInt(difference) : BigInt(difference));

function signed(number) {
  return number > 0n ? `+${count(number)}` : number < 0n ? `−${count(-number)}` : "0";
}

function side(name, report) {
  return h("a.side", { href: `/reports/${report.pid}` }, h("span.faint", {}, name), h("span.side-name", {}, report.input_name), h("span.faint", {}, time(report.created)));
}
