"""Some rows of a result, page by page: of which songs and days, summed up by which grain, in which
order.

The rows of a file are sorted by key (the song alone, or several fields) and day, so those that a
grain sums up follow one another, and a row's number says where it is in the order of keys. Other
orders sort numbers, and fetch the keys of a page alone: sorting keys would take memory for all of
them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from bmat.results.connection import Database, Databases, key_columns
from bmat.results.errors import NotInKey
from bmat.results.files import FIELDS, totals_file
from bmat.results.pieces import Bound, after_prefix, bounded, key_range, keys_at, pieces

# Rows that the search for the last ones of a file looks at first: a row group.
FIRST_WINDOW_ROWS = 122_880

# Where a page starts. It fits into JSON, and is of use for the same question only.
Position = list[int]
# A row's number, the first day of its period, and its plays.
Found = tuple[int, date | None, int]


class Grain(StrEnum):
    """The period whose plays of a key are one row. Its first day is the row's date."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    # All days of a key in one row, which has no date.
    ALL = "all"


class Order(StrEnum):
    """The order of rows. `song` is that of keys and dates, in which those stand that are equal in
    another one.
    """

    SONG = "song"
    SONG_BACKWARDS = "-song"
    DATE = "date"
    DATE_BACKWARDS = "-date"
    PLAYS = "plays"
    MOST_PLAYS = "-plays"


BY_DATE = (Order.DATE, Order.DATE_BACKWARDS)


@dataclass(frozen=True)
class Question:
    """Which rows are wanted, in which order. An empty text is any; texts are compared byte for
    byte. `prefix` and `contains` are about the song. Days outside `first` to `last` are not part of
    any sum.
    """

    song: str = ""
    artist: str = ""
    isrc: str = ""
    territory: str = ""
    service: str = ""
    prefix: str = ""
    contains: str = ""
    first: date = date.min
    last: date = date.max
    grain: Grain = Grain.DAY
    order: Order = Order.SONG


@dataclass(frozen=True)
class Row:
    """The plays of a key, its fields by their names in order, in the period that begins with
    `date`; None: on all days that are asked for.
    """

    key: Mapping[str, str]
    date: date | None
    plays: int


@dataclass(frozen=True)
class Page:
    """Some rows, and where the next ones start; None: these are the last."""

    rows: list[Row]
    following: Position | None


def rows(
    folder: Path,
    question: Question,
    limit: int,
    position: Position | None = None,
    seconds: float | None = None,
    databases: Databases | None = None,
) -> Page:
    """At most `limit` rows of the result in `folder`: the first ones, or those from the `position`
    on that the page before has named. Fewer are the last ones. `databases` are for whoever asks
    often.

    Raises FileNotFoundError, NotConverted, NotInKey, TooSlow after `seconds`, and TooLarge.
    """
    with (databases or Databases(0)).borrow(totals_file(folder), seconds) as database:
        return Pager(database, folder, question, limit).page(position)


def period(grain: Grain | None) -> str:
    """The SQL of a row's period; None is all days, as Grain.ALL is."""
    if grain is None or grain is Grain.ALL:
        return "CAST(NULL AS DATE)"
    if grain is Grain.DAY:
        return "Date"
    return f"CAST(date_trunc('{grain}', Date) AS DATE)"


class Pager:
    """Makes the pages of one question."""

    def __init__(self, database: Database, folder: Path, question: Question, limit: int) -> None:
        self._database = database
        self._folder = folder
        self._question = question
        self._order = question.order
        if question.grain is Grain.ALL and question.order in BY_DATE:
            # No row has a date: all are equal.
            self._order = Order.SONG
        self._limit = limit
        self._period = period(question.grain)
        self._columns = key_columns(database, "totals")
        self._names = [column.lower() for column in self._columns]
        self._key = ", ".join(self._columns)
        self._parameters: dict[str, Any] = {}
        conditions = []
        for condition, parameters in conditions_of(question, self._columns):
            conditions.append(condition)
            self._parameters |= parameters
        self._where = " AND ".join(conditions) or "true"

    def page(self, position: Position | None) -> Page:
        if self._order is Order.SONG:
            return self._forwards(*(position or [0]))
        if self._order is Order.SONG_BACKWARDS:
            return self._backwards(*(position or []))
        return self._sorted(position)

    def _forwards(self, start: int) -> Page:
        """The rows from number `start` on."""
        if self._question.grain is Grain.DAY:
            found = self._rows_between(start, None)
            following = [found[self._limit][0]] if len(found) > self._limit else None
            return self._page_of(found[: self._limit], following)
        starts = self._period_starts(start, None, self._limit + 1)
        if not starts:
            return Page([], None)
        if len(starts) > self._limit:
            stop = starts[self._limit]
            return self._page_of(self._rows_between(starts[0], stop), [stop])
        return self._page_of(self._rows_to_last_key(starts), None)

    def _rows_to_last_key(self, starts: list[int]) -> list[Any]:
        """The rows of the last periods there are. What is behind their keys is not read again: it
        may be most of the file, where few keys have what is looked for.
        """
        (last,) = keys_at(self._database, "totals", starts[-1:]).values()
        return self._rows_between(starts[0], None, last[0])

    def _backwards(self, stop: int | None = None) -> Page:
        """The rows before number `stop`, or the last ones, the last one first."""
        if stop is None:
            ((stop,),) = self._database.ask("SELECT count(*) FROM totals")
        starts = self._last_period_starts(stop)
        if not starts:
            return Page([], None)
        is_rest = len(starts) > self._limit
        start = starts[: self._limit][-1]
        return self._page_of(self._rows_between(start, stop)[::-1], [start] if is_rest else None)

    def _last_period_starts(self, stop: int) -> list[int]:
        """The numbers of the first wanted rows of the last periods before `stop`, the last one
        first: of one more than the limit, or of all.
        """
        starts: list[int] = []
        beyond, window, most = stop, FIRST_WINDOW_ROWS, self._limit + 1
        while True:
            first = max(0, beyond - window)
            # One more, for the first wanted row of a window may be in the midst of its period.
            found = self._period_starts(first, beyond, most + 1, direction="DESC")
            starts += found[:-1] if first else found
            if first == 0 or len(starts) >= most:
                return starts[:most]
            beyond, window = (starts or [beyond])[-1], 4 * window

    def _period_starts(
        self, start: int, stop: int | None, most: int, direction: str = ""
    ) -> list[int]:
        """The numbers of the first wanted rows of each period of each key; the last ones first
        where the direction is DESC.
        """
        order = f"ORDER BY n {direction} " if direction else ""
        before, parameters = upper_bound(stop)
        changed = " OR ".join(
            f"{each} IS DISTINCT FROM lag({each}) OVER ()" for each in [*self._columns, "{period}"]
        )
        numbers = self._ask(
            f"SELECT n FROM (SELECT n, {changed} AS is_first "
            f"FROM totals WHERE {{where}} AND n >= $start{before}) "
            f"WHERE is_first {order}LIMIT {most}",
            start=start,
            **parameters,
        )
        return [number for (number,) in numbers]

    def _rows_between(self, start: int, stop: int | None, last: str | None = None) -> list[Any]:
        """The number, key, period and plays of the wanted rows from `start` up to `stop`, and to
        `last` in the first column. By day, one more than the limit; by another grain, `stop` or
        `last` is what limits them.
        """
        parameters: dict[str, Any]
        before, parameters = upper_bound(stop)
        if last is not None:
            before = f" AND {self._columns[0]} <= $last_of_page"
            parameters = {"last_of_page": last}
        if self._question.grain is Grain.DAY:
            return self._ask(
                f"SELECT n, {self._key}, Date, Plays FROM totals "
                f"WHERE {{where}} AND n >= $start{before} LIMIT {self._limit + 1}",
                start=start,
                **parameters,
            )
        return self._ask(
            f"SELECT min(n) AS n, {self._key}, {{period}} AS period, sum(Plays) FROM totals "
            f"WHERE {{where}} AND n >= $start{before} GROUP BY {self._key}, period ORDER BY n",
            start=start,
            **parameters,
        )

    def _sorted(self, position: Position | None) -> Page:
        """The rows behind `position` in the order of dates or plays."""
        found: list[Found] = []
        by_key = key_of(self._order)
        for first, beyond in self._pieces():
            found += self._first_of_piece(first, beyond, position)
            found = sorted(found, key=by_key)[: self._limit + 1]
        shown = found[: self._limit]
        keys = keys_at(self._database, "totals", [number for number, _, _ in shown])
        following = None
        if len(found) > self._limit:
            number, day, plays = shown[-1]
            following = [ordinal(day) if self._is_by_date else plays, number]
        rows = [(number, *keys[number], day, plays) for number, day, plays in shown]
        return self._page_of(rows, following)

    def _pieces(self) -> Iterator[tuple[Bound, Bound | None]]:
        """The ranges of keys to sort one by one. Rows of days need no memory for their keys, and
        those of one key little.
        """
        exact = [getattr(self._question, name) for name in self._names]
        if self._question.grain is Grain.DAY or all(exact):
            return iter([((), None)])
        prefix = self._question.prefix if self._names[0] == "song" else ""
        # No field of a key holds a NUL: so this is behind those that begin with a whole one.
        first, end = (exact[0], exact[0] + "\0") if exact[0] else (prefix, after_prefix(prefix))
        beyond = None if end is None else (end,)
        return pieces(self._database, "totals", self._folder, (first,), beyond)

    def _first_of_piece(
        self, first: Bound, beyond: Bound | None, position: Position | None
    ) -> list[Found]:
        """The number, date and plays of the first rows behind `position` in a range of keys."""
        inside, named = key_range(self._columns, first, beyond)
        parameters: dict[str, Any] = dict(named)
        rows = f"FROM totals WHERE {{where}} AND {inside}"
        if self._question.grain is Grain.DAY:
            rows = f"SELECT n, Date AS period, Plays AS plays {rows}"
        else:
            rows = (
                "SELECT min(n) AS n, {period} AS period, sum(Plays) AS plays "
                f"{rows} GROUP BY {self._key}, period"
            )
        key = "period" if self._is_by_date else "plays"
        direction, behind = ("DESC", "<") if self._order.startswith("-") else ("ASC", ">")
        is_next = "true"
        if position is not None:
            value, number = position
            is_next = f"({key} {behind} $key OR {key} = $key AND n > $number)"
            shown_value = date.fromordinal(value) if self._is_by_date else value
            parameters |= {"key": shown_value, "number": number}
        return self._ask(
            f"SELECT n, period, plays FROM ({rows}) WHERE {is_next} "
            f"ORDER BY {key} {direction}, n LIMIT {self._limit + 1}",
            **parameters,
        )

    @property
    def _is_by_date(self) -> bool:
        return self._order in BY_DATE

    def _page_of(self, found: list[Any], following: Position | None) -> Page:
        """The page of rows that the database has answered, each behind its number."""
        rows = [
            Row(dict(zip(self._names, key, strict=True)), day, plays)
            for _, *key, day, plays in found
        ]
        return Page(rows, following)

    def _ask(self, sql: str, **parameters: Any) -> list[Any]:
        """Asks about the question's rows: `{where}` and `{period}` stand for their SQL."""
        text = sql.format(where=self._where, period=self._period)
        return self._database.ask(text, {**self._parameters, **parameters})


def conditions_of(
    question: Question, columns: list[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The conditions of a question in SQL, each with its parameters. There are none where there is
    nothing to leave out: each costs time. Raises NotInKey.
    """
    for name in (*FIELDS, "prefix", "contains"):
        if getattr(question, name) and FIELDS.get(name, FIELDS["song"]) not in columns:
            raise NotInKey(name, columns)
    for name, column in FIELDS.items():
        if getattr(question, name):
            yield f"{column} = ${name}", {name: getattr(question, name)}
    if question.prefix:
        yield bounded(["Song"], (question.prefix,), "prefix", ">")
        beyond = after_prefix(question.prefix)
        if beyond is not None:
            yield bounded(["Song"], (beyond,), "after_prefix", "<")
    if question.contains:
        yield "contains(Song, $contains)", {"contains": question.contains}
    if question.first > date.min:
        yield "Date >= $first", {"first": question.first}
    if question.last < date.max:
        yield "Date <= $last", {"last": question.last}


def upper_bound(stop: int | None) -> tuple[str, dict[str, int]]:
    """The condition that rows come before number `stop`, and its parameter; None: all do."""
    return ("", {}) if stop is None else (" AND n < $stop", {"stop": stop})


def key_of(order: Order) -> Callable[[Found], tuple[int, int]]:
    """What sorts numbers, dates and plays in an order of dates or plays."""
    sign = -1 if order.startswith("-") else 1
    if order in BY_DATE:
        return lambda row: (sign * ordinal(row[1]), row[0])
    return lambda row: (sign * row[2], row[0])


def ordinal(day: date | None) -> int:
    """The day's number. Rows without one are in no order of dates."""
    assert day is not None
    return day.toordinal()
