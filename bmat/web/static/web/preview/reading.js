// How a file would be read: the service says, told from its beginning and from what a person chose.
// `given` are options by their names, as the API has them; `found` is an answer of /api/inspect.

import { ApiError, post } from "../api.js";

const HEAD_BYTES = 65_536;
// Of an archive or a workbook, what is needed may stand at the end.
const PACKED_HEAD_BYTES = 1_000_000;
const PACKED = ["504b0304", "d0cf11e0", "425a68"];
const NAME_LENGTH = 200;
const KEY_ROLES = ["song", "artist", "isrc", "territory", "service"];
export const ALL_ROLES = [...KEY_ROLES, "date", "plays"];

// What columns are called that hold this, as names are compared here: letters and digits alone.
const LIKELY_NAMES = {
  song: "track title songtitle songname tracktitle trackname recording recordingtitle titel musiktitel titre morceau cancion titulo brano faixa work",
  artist: "artistname performer interpret artiste artista mainartist",
  date: "day datum fecha data giorno playdate playday dateplayed airdate playedat playedon listenedat timestamp datetime time reportdate salesdate streamdate",
  plays: "plays count playcount streams streamcount numberofstreams spins listens airplays performances quantity units total totalplays totalnumberofplaysfordate reproducciones ecoutes",
};
// What else to try, where records are rejected or the file cannot be read for a reason.
const ALTERNATIVES = {
  invalid_date: ["date_format", ["dmy", "mdy", "ymd", "epoch", "epoch_ms"]],
  invalid_plays: ["thousands", [",", ".", "space", "'"]],
  invalid_encoding: ["encoding", ["cp1252"]],
  not_text: ["encoding", ["cp1252", "utf-16-le", "utf-16-be"]],
  unterminated_quote: ["quoting", ["none"]],
  malformed_quotes: ["quoting", ["none"]],
};

// How the file is read with these options. Raises ApiError.
export async function inspect(file, given, signal) {
  let head;
  try {
    head = await file.slice(0, HEAD_BYTES).arrayBuffer();
    if (isPacked(head)) head = await file.slice(0, PACKED_HEAD_BYTES).arrayBuffer();
  } catch {
    throw new ApiError(0, { code: "unreadable", message: `${file.name} can no longer be read. Choose it again.` });
  }
  if (head.byteLength === 0) throw new ApiError(0, { code: "empty_file", message: `${file.name} is empty.` });
  const form = new FormData();
  form.append("input_file", new Blob([head]), file.name);
  for (const [name, value] of Object.entries(given)) form.append(name, value);
  return post("/api/inspect", form, { signal });
}

function isPacked(head) {
  const first = [...new Uint8Array(head, 0, Math.min(4, head.byteLength))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return PACKED.some((signature) => first.startsWith(signature));
}

// All that says how the file is read, so that the run reads it as the preview did.
export function resolved(given, found) {
  if (found.error) return { ...given };
  const options = { ...given, preset: found.preset, encoding: found.encoding };
  // Of other formats, the rest is the format's own.
  if (found.preset !== "default") return options;
  options.delimiter = found.delimiter === "\t" ? "tab" : found.delimiter;
  if (!found.header_line) return options;
  // Under a line that is named, records before it would be skipped, and not be rejected.
  if (!found.records.some((record) => record.line < found.header_line)) options.header_line = String(found.header_line);
  return { ...options, ...columnOptions(found.columns) };
}

// What the readings of all files have in common: each finds out the rest of its own.
export function common(given, allResolved) {
  const [first, ...others] = allResolved;
  const agreed = Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value));
  return { ...Object.fromEntries(agreed), ...given };
}

export const key = (given) => (given.group_by ?? "song").split(",");

// The columns after a person has said what column number `index` is: each role has one column.
export function withRole(columns, index, role) {
  return columns.map((column, at) => {
    if (at === index) return { ...column, role };
    return column.role === role ? { ...column, role: null } : column;
  });
}

// The options that say what these columns are. Roles of the key that no column has any more are
// taken from it, new ones are put behind it.
export function optionsOf(columns, given, preset) {
  const plain = Object.entries(given).filter(([name]) => !name.endsWith("_column"));
  const options = { ...Object.fromEntries(plain), preset, ...columnOptions(columns) };
  const roles = new Set(columns.map((column) => column.role));
  const kept = key(given).filter((role) => roles.has(role));
  const keyRoles = [...kept, ...KEY_ROLES.filter((role) => roles.has(role) && !kept.includes(role))];
  if (keyRoles.length) options.group_by = keyRoles.join(",");
  if (roles.has("plays")) {
    if (preset === "default") delete options.plays;
    else options.plays = "column";
  }
  return options;
}

// The roles that a column must have, and none has. Only the default needs all of them.
export function missingRoles(columns, given, preset) {
  const roles = new Set(columns.map((column) => column.role));
  const hasKey = KEY_ROLES.some((role) => roles.has(role));
  const missing = hasKey ? [] : ["song"];
  if (preset === "default") {
    if (!roles.has("date")) missing.push("date");
    if (!roles.has("plays") && given.plays !== "one") missing.push("plays");
  }
  return missing;
}

function columnOptions(columns) {
  const named = columns.filter((column) => column.role && column.name.trim() && column.name.length <= NAME_LENGTH);
  return Object.fromEntries(named.map((column) => [`${column.role}_column`, column.name]));
}

// The columns, with the missing roles given to those whose names sound like it; null unless there
// is a column for each.
export function likelyColumns(columns, missing) {
  const plain = columns.map((column) => column.name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]/g, ""));
  let matched = columns;
  for (const role of missing) {
    const names = (LIKELY_NAMES[role] ?? "").split(" ");
    const index = plain.findIndex((name, at) => names.includes(name) && !matched[at].role);
    if (index < 0) return null;
    matched = withRole(matched, index, role);
  }
  return matched;
}

export const rejectedCount = (found) => (found.error ? Infinity : found.records.filter((record) => record.reason).length);

// Other values of an option with which more records are counted, the best ones: `[name, values,
// found]`; null where none is better.
export async function better(file, given, found, signal) {
  const reasons = found.error ? [found.error.code] : found.records.map((record) => record.reason);
  const reason = reasons.find((one) => ALTERNATIVES[one]);
  if (!reason) return null;
  const [name, values] = ALTERNATIVES[reason];
  let best = rejectedCount(found);
  let winners = [];
  for (const value of values.filter((one) => one !== given[name])) {
    const other = await inspect(file, { ...given, [name]: value }, signal).catch(() => null);
    signal.throwIfAborted();
    if (!other || (other.error && !other.columns.length)) continue;
    const rejected = rejectedCount(other);
    if (rejected < best) [best, winners] = [rejected, [value]];
    else if (rejected === best && winners.length) winners.push(value);
  }
  return winners.length ? { name, values: winners, rejected: best } : null;
}
