// Where files come in, and the reports that were made of them.

import { announce, fill, h } from "../dom.js";
import { share } from "../format.js";
import { ReportList } from "../list/list.js";
import { go, title } from "../router.js";
import { choose } from "../upload/drop.js";
import { sample } from "../upload/sample.js";
import { begin } from "../upload/start.js";
import { drawCards, rest } from "../upload/tray.js";
import * as uploads from "../upload/uploads.js";

const PREVIEW_MILLISECONDS = 500;

export function show(root, _parameters, { signal, query }) {
  const zone = dropZone();
  const place = h("div.uploads");
  const cards = new Map();
  const list = new ReportList({ query, signal, onCount: (hasReports) => zone.show({ hasReports }) });
  fill(root, h("div.home", {}, zone.element, place, list.element));
  rest(signal);
  const draw = (upload) => {
    if (upload?.state === "ended" && uploads.all().includes(upload)) return ended(upload);
    if (upload?.state === "received") list.refresh();
    zone.show({ hasUploads: uploads.all().length > 0 });
    drawTitle();
    return drawCards(place, cards, uploads.all());
  };
  const ended = (upload) => {
    const isFollowed = upload.isFollowed && !list.element.contains(document.activeElement);
    uploads.dismiss(upload);
    announce(`${upload.title}: ${upload.report.state}.`);
    if (isFollowed) go(`/reports/${upload.pid}`);
    else list.refresh();
  };
  uploads.listen(draw, signal);
  signal.addEventListener("abort", () => { for (const upload of uploads.all()) upload.isFollowed = false; }, { once: true });
  for (const upload of uploads.all()) draw(upload);
  // The preview is needed at once, when it is.
  setTimeout(() => import("../preview/preview.js"), PREVIEW_MILLISECONDS);
  list.run().catch((error) => signal.aborted || fill(root, h("div.alert", { role: "alert" }, error.message)));
}

// How far an upload is can be seen from another tab, too.
function drawTitle() {
  const sending = uploads.all().find((upload) => upload.state === "sending" || upload.state === "away");
  title(sending ? `${share(Math.floor(100 * sending.share) / 100)} ${sending.title}` : "");
}

// It is large until there are reports, and of which it is told first.
function dropZone() {
  const first = h("button.button.primary", { type: "button", onclick: () => choose(begin) }, "Choose files");
  const folder = h("button.button", { type: "button", onclick: () => choose(begin, { isFolder: true }) }, "Choose a folder");
  const element = h("section.drop", { "aria-label": "Upload", hidden: true });
  let shown = null;
  const known = { hasReports: null, hasUploads: false };
  const show = (told) => {
    Object.assign(known, told);
    const isSmall = known.hasReports || known.hasUploads;
    if (known.hasReports === null || shown === isSmall) return;
    shown = isSmall;
    element.hidden = false;
    element.classList.toggle("is-large", !isSmall);
    fill(element,
      bars(),
      isSmall
        ? h("p.drop-words", {}, "Drop play logs anywhere on this page")
        : h("div.stack-tight", {}, h("h1", {}, "Drop play logs here"),
            h("p.soft", {}, "Daily totals per song, from files of any size. You see how they are read before anything is sent.")),
      h("div.drop-buttons", {}, first, folder),
      !isSmall && h("div.stack-tight", {},
        h("p.faint", {}, "CSV or Excel with songs, dates and plays, also in gzip or ZIP. Files of Spotify, DistroKid, TuneCore, ListenBrainz, Spinitron, SoundExchange and DDEX are taken as they are."),
        h("p.faint", {}, "None at hand? ", h("button.link.is-inline", { type: "button", onclick: () => begin([sample()]) }, "Try it with a sample"))),
    );
  };
  return { element, show };
}

function bars() {
  return h("svg.drop-mark", { viewBox: "0 0 32 32", width: "40", height: "40", "aria-hidden": "true" },
    [[5, 15, 12], [13.5, 4, 23], [22, 10, 17]].map(([x, y, height]) => h("rect", { x: String(x), y: String(y), width: "5", height: String(height), rx: "2", fill: "currentColor" })));
}
