"""Results of real runs, and plain Python that answers questions about the same plays."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from hypothesis import strategies as st

from bmat.aggregation import aggregate
from bmat.results import Grain, Order, Question, Row, write_parquet
from bmat.results.files import OUTPUT, PARQUET, REJECTS, SUMMARY

Play = tuple[str, date, int]

# They begin alike, sort by bytes otherwise than by letters, and need quotes; no reader may take one
# for something that is missing, or trim it.
SONGS = ["A", "a", "ab", " ab", "ab ", 'a"b', '"a"', "a,b", "a\nb", "a\r\nb", "é", "ézé", "夜に"]
SONGS += ["NA", "null", "0", "-1", "'", "\\", "#", "\ufeffx", "\u2028", "\U0010ffff", "\U0010ffffx"]
LARGEST = 2**63 - 1

songs = st.sampled_from(SONGS) | st.text(st.sampled_from("abé夜 ,"), min_size=1, max_size=4)
days = st.dates(date(2019, 12, 20), date(2020, 2, 10)) | st.sampled_from(
    [date.min, date(1, 1, 8), date(2020, 12, 31), date(9999, 12, 31)]
)
plays = st.lists(st.tuples(songs, days, st.integers(0, 30) | st.just(2**60)), max_size=40)


class Result:
    """A result in `folder`."""

    def __init__(self, folder: Path, plays: list[Play], parquet: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        source = folder / "in.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Song", "Date", "Number of Plays"])
            writer.writerows((song, day.isoformat(), count) for song, day, count in plays)
        aggregate(
            [source], folder / OUTPUT, rejects=folder / REJECTS, summary_file=folder / SUMMARY
        )
        if parquet:
            self.write_parquet()

    def write_parquet(self) -> None:
        write_parquet(self.folder / OUTPUT, self.folder / PARQUET)

    @cached_property
    def totals(self) -> list[Row]:
        """What is in the output, in its order."""
        with (self.folder / OUTPUT).open(encoding="utf-8", newline="") as file:
            _, *lines = csv.reader(file)
        return [Row(song, date.fromisoformat(day), int(count)) for song, day, count in lines]


def first_day(day: date, grain: Grain) -> date:
    """The first day of the period that a day is in."""
    if grain is Grain.WEEK:
        return day - timedelta(day.weekday())
    month = {Grain.MONTH: day.month, Grain.QUARTER: (day.month - 1) // 3 * 3 + 1, Grain.YEAR: 1}
    return day.replace(month=month[grain], day=1) if grain in month else day


def answer(totals: list[Row], question: Question) -> list[Row]:
    """All rows that the question is about."""
    sums: dict[tuple[str, date], int] = defaultdict(int)
    for row in totals:
        if (
            question.song in ("", row.song)
            and row.song.startswith(question.prefix)
            and question.contains in row.song
            and question.first <= row.date <= question.last
        ):
            sums[row.song, first_day(row.date, question.grain)] += row.plays
    found = [Row(song, day, count) for (song, day), count in sums.items()]
    found.sort(key=lambda row: (row.song.encode(), row.date))
    if question.order is Order.SONG_BACKWARDS:
        found.reverse()
    elif question.order in (Order.DATE, Order.DATE_BACKWARDS):
        found.sort(key=lambda row: row.date, reverse=question.order is Order.DATE_BACKWARDS)
    elif question.order is not Order.SONG:
        found.sort(key=lambda row: row.plays, reverse=question.order is Order.MOST_PLAYS)
    return found
