"""Results as a run writes them, and plain Python that answers questions about the same plays."""

import csv
import json
from collections import defaultdict
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bmat.results import Grain, Order, Question, Row, write_parquet
from bmat.results.files import DATE, FIELDS, OUTPUT, PARQUET, SUMMARY, TOTAL

# The fields of the key, the day, the number of plays.
Play = tuple[Any, ...]
SONG = ("song",)

# They begin alike, sort by bytes otherwise than by letters, and need quotes; no reader may take one
# for something that is missing, or trim it.
SONGS = ["A", "a", "ab", " ab", "ab ", 'a"b', '"a"', "a,b", "a\nb", "a\r\nb", "é", "ézé", "夜に"]
SONGS += ["NA", "null", "0", "-1", "'", "\\", "#", "\ufeffx", "\u2028", "\U0010ffff", "\U0010ffffx"]
LARGEST = 2**63 - 1

songs = st.sampled_from(SONGS) | st.text(st.sampled_from("abé夜 ,"), min_size=1, max_size=4)
days = st.dates(date(2019, 12, 20), date(2020, 2, 10)) | st.sampled_from(
    [date.min, date(1, 1, 8), date(2020, 12, 31), date(9999, 12, 31)]
)


def plays_of(key: tuple[str, ...], most: int = 40) -> st.SearchStrategy[list[Play]]:
    """Plays whose totals are by the fields `key`, of which all but the song may be empty."""
    fields = [songs if name == "song" or len(key) == 1 else st.just("") | songs for name in key]
    counts = st.integers(0, 30) | st.just(2**60)
    keys = st.tuples(*fields).filter(any)
    return st.lists(
        st.tuples(keys, days, counts).map(lambda play: (*play[0], *play[1:])), max_size=most
    )


def questions_about(key: tuple[str, ...]) -> st.SearchStrategy[Question]:
    """Questions that a result whose totals are by the fields `key` can answer."""
    texts = [*key, "prefix", "contains"] if "song" in key else [*key]
    return st.builds(
        Question,
        first=st.just(date.min) | days,
        last=st.just(date.max) | days,
        grain=st.sampled_from(Grain),
        order=st.sampled_from(Order),
        **{name: st.just("") | songs for name in texts},
    )


class Result:
    """A result in `folder`, whose totals are by the fields `key`."""

    def __init__(
        self,
        folder: Path,
        plays: list[Play],
        parquet: bool = False,
        key: tuple[str, ...] = SONG,
    ) -> None:
        self.folder = folder
        self.key = key
        folder.mkdir(parents=True)
        sums: dict[tuple[Any, ...], int] = defaultdict(int)
        for *key_and_day, count in plays:
            sums[tuple(key_and_day)] += count
        lines = [[*(FIELDS[name] for name in key), DATE, TOTAL]]
        lines += [
            [*fields, day.isoformat(), str(sums[*fields, day])] for *fields, day in sorted(sums)
        ]
        text = "".join(",".join(map(quoted, line)) + "\n" for line in lines)
        (folder / OUTPUT).write_bytes(text.encode())
        (folder / SUMMARY).write_text(json.dumps({"plays_total": sum(sums.values())}))
        if parquet:
            self.write_parquet()

    def write_parquet(self) -> None:
        write_parquet(self.folder / OUTPUT, self.folder / PARQUET)

    @cached_property
    def totals(self) -> list[Row]:
        """What is in the output, in its order."""
        with (self.folder / OUTPUT).open(encoding="utf-8", newline="") as file:
            _, *lines = csv.reader(file)
        return [
            Row(dict(zip(self.key, fields, strict=True)), date.fromisoformat(day), int(count))
            for *fields, day, count in lines
        ]


def quoted(field: str) -> str:
    """The field as the data contract has it in a CSV."""
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"\r\n') else field


def first_day(day: date | None, grain: Grain) -> date | None:
    """The first day of the period that a day is in; None: the period is all days."""
    if day is None or grain is Grain.ALL:
        return None
    if grain is Grain.WEEK:
        return day - timedelta(day.weekday())
    month = {Grain.MONTH: day.month, Grain.QUARTER: (day.month - 1) // 3 * 3 + 1, Grain.YEAR: 1}
    return day.replace(month=month[grain], day=1) if grain in month else day


def answer(totals: list[Row], question: Question) -> list[Row]:
    """All rows that the question is about."""
    sums: dict[tuple[tuple[tuple[str, str], ...], date | None], int] = defaultdict(int)
    for row in totals:
        song = row.key.get("song", "")
        if (
            all(getattr(question, name) in ("", value) for name, value in row.key.items())
            and song.startswith(question.prefix)
            and question.contains in song
            and question.first <= (row.date or date.max) <= question.last
        ):
            sums[tuple(row.key.items()), first_day(row.date, question.grain)] += row.plays
    found = [Row(dict(key), day, count) for (key, day), count in sums.items()]
    found.sort(key=sorted_by)
    if question.order is Order.SONG_BACKWARDS:
        found.reverse()
    elif question.order in (Order.DATE, Order.DATE_BACKWARDS):
        backwards = question.order is Order.DATE_BACKWARDS
        found.sort(key=lambda row: row.date or date.min, reverse=backwards)
    elif question.order is not Order.SONG:
        found.sort(key=lambda row: row.plays, reverse=question.order is Order.MOST_PLAYS)
    return found


def sorted_by(row: Row) -> tuple[list[bytes], date]:
    """The order of rows in an output."""
    return [value.encode() for value in row.key.values()], row.date or date.min
