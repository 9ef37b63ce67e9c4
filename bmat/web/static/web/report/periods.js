// Days and what they sum up to. A day is its number from 1970-01-01 on, so that it can be counted
// with; plays are BigInt, for their sums may pass 2^53.

const DAY_MS = 86_400_000;
// Days without plays are filled in up to here; a date of the year 1 is no reason to draw millions.
const MOST_FILLED = 20_000;

const PARTS = 1_000_000_000_000n;

export const GRAINS = { day: "Day", week: "Week", month: "Month" };

// What a curve of the days from `first` to `last` is drawn by, as long as nobody says otherwise:
// hundreds of days are noise.
export function usualGrain(first, last) {
  return last - first > 1_500 ? "month" : last - first > 400 ? "week" : "day";
}

export const dayOf = (text) => Math.round(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
export const textOf = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);
export const secondsOf = (day) => day * 86_400;

// The first day of the period that a day is in: of weeks their Monday.
export function startOf(day, grain) {
  if (grain === "week") return day - ((((day + 3) % 7) + 7) % 7);
  if (grain === "month") return dayOf(`${textOf(day).slice(0, 7)}-01`);
  return day;
}

// The first day of the period behind the one that begins with `start`.
export function following(start, grain) {
  if (grain === "week") return start + 7;
  return grain === "month" ? startOf(start + 31, grain) : start + 1;
}

// The days of a result, in order, from its `plays_by_day`.
export function daysOf(playsByDay) {
  return Object.entries(playsByDay)
    .map(([text, plays]) => [dayOf(text), BigInt(plays)])
    .sort(([one], [other]) => one - other);
}

export const total = (days) => days.reduce((sum, [, plays]) => sum + plays, 0n);

export const between = (days, first, last) => days.filter(([day]) => day >= first && day <= last);

// The periods from `first` to `last`: the first day of each, and its plays on these days.
export function periods(days, first, last, grain) {
  const sums = new Map();
  if ((last - first) / { day: 1, week: 7, month: 28 }[grain] < MOST_FILLED) {
    for (let start = startOf(first, grain); start <= last; start = following(start, grain)) sums.set(start, 0n);
  }
  for (const [day, plays] of between(days, first, last)) {
    const start = startOf(day, grain);
    sums.set(start, (sums.get(start) ?? 0n) + plays);
  }
  return { starts: [...sums.keys()], totals: [...sums.values()] };
}

// The period of the same length just before; null where no day of it has plays.
export function before(days, first, last) {
  const earlier = { first: first - (last - first + 1), last: first - 1 };
  return between(days, earlier.first, earlier.last).length ? earlier : null;
}

// The days of `earlier` in the periods of `later`, which is as long: so that what lies upon each
// other has as many days. `ends` are the first and last day of each, where it really is.
export function shifted(days, earlier, later, grain) {
  const length = later.first - earlier.first;
  const moved = between(days, earlier.first, earlier.last).map(([day, plays]) => [day + length, plays]);
  const { starts, totals } = periods(moved, later.first, later.last, grain);
  const ends = starts.map((start) => extent(start, grain, later).map((day) => day - length));
  return { totals, ends };
}

// The first and last day of the period that begins with `start`, within those that are chosen.
export function extent(start, grain, { first, last }) {
  return [Math.max(start, first), Math.min(following(start, grain) - 1, last)];
}

// 0.25 for 1 of 4, whatever their size; 0 where there is nothing.
export function ratio(part, whole) {
  const of = BigInt(whole);
  return of === 0n ? 0 : Number((BigInt(part) * PARTS) / of) / Number(PARTS);
}
