// Numbers, sizes and times, as the reader's language writes them.

const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat(undefined, { style: "percent", maximumSignificantDigits: 2 });
const month = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const SPANS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

// 1204331 -> "1,204,331"; BigInt as well.
export const count = (number) => whole.format(number);

// 1204331 -> "1.2M"
export const compact = (number) => short.format(number);

// 0.034 -> "3.4%"
export const share = (number) => percent.format(number);

// 0.25 -> "+25%"; -0.25 -> "−25%"
export const signedShare = (number) => (number > 0 ? `+${share(number)}` : share(number).replace("-", "−"));

// 0.000115 -> "0.012%": small shares do not become none.
export const smallShare = (number) => (number === 0 || number >= 0.001 ? percent : fine).format(number);

// 1 and "row" -> "1 row"; 2 -> "2 rows"
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${BigInt(number) === 1n ? one : many}`;

// 1500000 -> "1.5 MB"; 199 -> "199 bytes"
export function bytes(number) {
  if (number < 1000) return counted(number, "byte");
  let value = number;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return new Intl.NumberFormat(undefined, { style: "unit", unit: UNITS[unit], maximumFractionDigits: digits }).format(value);
}

// "2020-01-31" -> "Jan 31, 2020"
export const date = (text) => day.format(new Date(`${text}T00:00:00Z`));

// The first day of a period -> "Jan 2020" for a month, "Q1 2020" for a quarter, "2020" for a year.
export function periodStart(text, grain) {
  const [year, number] = text.split("-");
  if (grain === "month") return month.format(new Date(`${text}T00:00:00Z`));
  if (grain === "quarter") return `Q${Math.ceil(number / 3)} ${Number(year)}`;
  return grain === "year" ? String(Number(year)) : date(text);
}

// Two days -> "Jan 1 – 31, 2020"; one that is the same twice -> "Jan 1, 2020"
export const dates = (first, last) => day.formatRange(new Date(`${first}T00:00:00Z`), new Date(`${last}T00:00:00Z`));

// An ISO moment -> "Jan 31, 2020, 5:04 PM"
export const time = (text) => moment.format(new Date(text));

// An ISO moment -> "3 minutes ago"
export function ago(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  for (const [unit, size] of SPANS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

// 0.02 -> "under a second"; 75 -> "1 min 15 s"
export function duration(seconds) {
  if (seconds < 1) return "under a second";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
