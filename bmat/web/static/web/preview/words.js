// What the service's terms are called on the page.

import { counted } from "../format.js";

export const ROLES = {
  song: "Song", artist: "Artist", isrc: "ISRC", territory: "Territory", service: "Service", date: "Date", plays: "Plays",
};
const IN_SENTENCES = { ...ROLES, song: "the song", artist: "the artist", isrc: "the ISRC", territory: "the territory", service: "the service", date: "the date", plays: "the number of plays" };

export const PRESETS = {
  default: "CSV table",
  totals: "Totals of bmat",
  dsr: "DDEX sales report, SR02",
  soundexchange: "SoundExchange report of use",
  spinitron: "Spinitron playlist",
  suisa: "SUISA radio report",
  librefm: "Libre.fm export",
  audioscrobbler: "Audioscrobbler log",
  listenbrainz: "ListenBrainz listens",
  spotify: "Spotify streaming history",
  lastfm_1k: "Last.fm data set",
  distrokid: "DistroKid sales",
  tunecore: "TuneCore sales",
};

// What the menus are called, by the option that each is for.
export const MENUS = {
  preset: "Format", delimiter: "Between fields", encoding: "Encoding", header_line: "Header",
  date_format: "Dates", thousands: "Thousands", quoting: "Quotes", plays: "Plays",
};

export const DELIMITERS = { ",": "Comma", ";": "Semicolon", tab: "Tab", "|": "Vertical bar" };

export const ENCODINGS = {
  "utf-8": "UTF-8", cp1252: "Western European (Windows-1252)", "iso8859-15": "Western European (ISO 8859-15)",
  cp1250: "Central European (Windows-1250)", cp1251: "Cyrillic (Windows-1251)", cp1253: "Greek (Windows-1253)",
  cp1254: "Turkish (Windows-1254)", cp1255: "Hebrew (Windows-1255)", cp1256: "Arabic (Windows-1256)",
  shift_jis: "Japanese (Shift JIS)", gb18030: "Chinese (GB 18030)", big5: "Chinese (Big5)", euc_kr: "Korean (EUC-KR)",
  "mac-roman": "Western European (Macintosh)", "utf-16": "UTF-16", "utf-16-le": "UTF-16, little endian", "utf-16-be": "UTF-16, big endian",
};

export const DATE_FORMATS = {
  iso: "2020-12-31", dmy: "31/12/2020, day first", mdy: "12/31/2020, month first", ymd: "2020/12/31, year first",
  epoch: "Seconds since 1970", epoch_ms: "Milliseconds since 1970",
};

export const THOUSANDS = { ",": "1,000 (comma)", ".": "1.000 (dot)", space: "1 000 (space)", "'": "1'000 (apostrophe)" };
export const QUOTING = { csv: "Quotes enclose fields", none: "Quotes are ordinary characters" };
export const PLAYS = { column: "A column has their number", one: "Each row is one play" };

const REASONS = {
  missing_field: "The row ends before a column that is read",
  extra_field: "The row has more fields than the header",
  empty_song: "There is no song",
  too_long: "The row is too long",
  invalid_date: "The date cannot be read",
  invalid_plays: "The number of plays cannot be read",
  negative_plays: "The number of plays is below zero",
  invalid_encoding: "Some characters are not in this encoding",
  invalid_character: "It holds a character that is no text",
  stray_carriage_return: "A line end stands within the row",
  unterminated_quote: "A quote opens and never closes",
  malformed_quotes: "Something stands behind a closing quote",
  repeated_header: "The header stands here again",
  malformed_json: "This is no complete record",
  not_a_play: "Left out: this is no play",
  other_record: "Left out: another kind of record",
};
// Which column a reason is about.
const ROLE_OF_REASON = { empty_song: "song", invalid_date: "date", invalid_plays: "plays", negative_plays: "plays" };
// Which menu may help.
const MENU_OF = {
  invalid_date: "date_format", invalid_plays: "thousands", invalid_encoding: "encoding", not_text: "encoding",
  missing_field: "delimiter", extra_field: "delimiter", unterminated_quote: "quoting", malformed_quotes: "quoting",
  duplicate_column: "header_line", count_mismatch: "preset", unknown_encoding: "encoding",
};

export const isLeftOut = (reason) => reason === "not_a_play" || reason === "other_record";
export const reasonText = (reason) => REASONS[reason] ?? reason.replaceAll("_", " ");
export const roleOfReason = (reason) => ROLE_OF_REASON[reason] ?? null;
export const menuFor = (code) => MENU_OF[code] ?? null;

// "a, b and c"
export function listed(words) {
  const all = [...words];
  const last = all.pop();
  return all.length ? `${all.join(", ")} and ${last}` : (last ?? "");
}

export const rolesText = (roles) => listed(roles.map((role) => IN_SENTENCES[role]));
export const encodingText = (name) => (ENCODINGS[name] ?? name).replace(/^.*\((.*)\)$/, "$1");
const delimiterText = (text) => (DELIMITERS[text === "\t" ? "tab" : text] ?? `“${text}”`).toLowerCase();

// What is wrong with a file, beside its name.
const TROUBLES = { missing_column: "has other columns", not_text: "is no table", empty_file: "is empty", duplicate_column: "has a column twice" };
export const troubleText = ({ code, message }) => TROUBLES[code] ?? inPageWords(message);

// How the file is read, in a few words.
export function readingText(found) {
  const parts = [found.preset === "default" ? "CSV" : (PRESETS[found.preset] ?? found.preset)];
  if (found.delimiter) parts.push(delimiterText(found.delimiter));
  parts.push(encodingText(found.encoding));
  if (found.header_line) parts.push(`header on line ${found.header_line}`);
  else if (found.preset === "default") parts.push("no header");
  return parts.join(", ");
}

// What the service says of its options, for a person who has menus instead.
export function inPageWords(text) {
  return text
    .replace(/use the option quoting=(csv|none)/g, (_all, value) => `choose “${QUOTING[value]}”`)
    .replace(/use the option plays=one/g, `choose “${PLAYS.one}”`)
    .replace(/leave out the option (\w+)/g, (all, name) => (name in MENUS ? `choose “Automatic” under “${MENUS[name]}”` : all))
    .replace(/in the options? (?:\w+_column(?:, )?)+/g, "in the head of the table")
    .replace(/in the option (\w+)/g, (all, name) => (name in MENUS ? `under “${MENUS[name]}”` : all));
}

// What is doubtful about the records that are shown; "" where nothing is.
export function doubtText(found) {
  const rejected = found.records.filter((record) => record.reason && !isLeftOut(record.reason)).length;
  if (!rejected) return "";
  const shown = found.records.length;
  const of = found.is_cut || shown === 20 ? `of the first ${counted(shown, "row")}` : `of the ${counted(shown, "row")}`;
  return rejected === shown ? `None ${of} would be counted.` : `${rejected} ${of} would not be counted.`;
}
