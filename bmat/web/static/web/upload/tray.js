// The uploads at the bottom of pages that are about something else.

import { fill, h } from "../dom.js";
import { card } from "./card.js";
import * as uploads from "./uploads.js";

const place = h("aside.tray", { "aria-label": "Uploads", hidden: true });
const cards = new Map();
let rests = 0;

export function start() {
  document.body.append(place);
  uploads.listen(draw);
}

// Hides the tray until `signal` is aborted: the page shows the uploads itself.
export function rest(signal) {
  rests += 1;
  draw();
  signal.addEventListener("abort", () => {
    rests -= 1;
    draw();
  }, { once: true });
}

function draw() {
  const shown = uploads.all();
  place.hidden = rests > 0 || !shown.length;
  drawCards(place, cards, shown);
}

// Puts a card for each of `shown` into `root`; `known` are those that are there already.
export function drawCards(root, known, shown) {
  for (const upload of known.keys()) if (!shown.includes(upload)) known.delete(upload);
  let isSame = root.childElementCount === shown.length;
  for (const [at, upload] of shown.entries()) {
    if (!known.has(upload)) known.set(upload, card(upload));
    else known.get(upload).update();
    isSame &&= root.children[at] === known.get(upload).element;
  }
  if (!isSame) fill(root, shown.map((upload) => known.get(upload).element));
}
