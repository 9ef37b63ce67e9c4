// From files to uploads: what they are is shown first.

import { announce } from "../dom.js";
import { counted } from "../format.js";
import { go } from "../router.js";
import { add, claim } from "./uploads.js";

// Shows how the files are read, and sends them once somebody wants their totals. Those that an
// upload waits for go on at once.
export async function begin(files) {
  const others = claim(files);
  if (!others.length) return;
  const { preview } = await import("../preview/preview.js");
  const answer = await preview(others);
  if (!answer) return;
  if (answer.isEach) answer.files.forEach((file, index) => add([file], answer.optionsOfEach[index]));
  else add(answer.files, answer.options).isFollowed = true;
  announce(`The upload of ${counted(answer.files.length, "file")} has begun.`);
  if (location.pathname !== "/") go("/");
}
