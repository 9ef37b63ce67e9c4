// Reports that are deleted, but for those ten seconds in which it can be undone.

import { send } from "../api.js";

const UNDO_SECONDS = 10;
// By pid: the timer of what is not sent yet, or null.
const removed = new Map();

export const isRemoved = (pid) => removed.has(pid);
export const canUndo = (pid) => Boolean(removed.get(pid));

// Deletes a report later; `onGone(error)` is called once it is gone, or could not be deleted.
export function removeLater(pid, onGone) {
  const timer = setTimeout(() => removeNow(pid), UNDO_SECONDS * 1000);
  removed.set(pid, { timer, onGone });
}

export function undo(pid) {
  clearTimeout(removed.get(pid)?.timer);
  removed.delete(pid);
}

async function removeNow(pid) {
  const { timer, onGone } = removed.get(pid);
  clearTimeout(timer);
  removed.set(pid, null);
  try {
    await send(`/api/reports/${pid}`, { method: "DELETE", keepalive: true });
    onGone(null);
  } catch (error) {
    if (error.status !== 404) removed.delete(pid);
    onGone(error.status === 404 ? null : error);
  }
}

// Nobody may come back to undo it.
function removeAllNow() {
  for (const [pid, waiting] of removed) if (waiting) removeNow(pid);
}

addEventListener("pagehide", removeAllNow);
document.addEventListener("visibilitychange", () => document.hidden && removeAllNow());
