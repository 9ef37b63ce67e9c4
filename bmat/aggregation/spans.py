"""What a search through the totals is about: places, spans, days, and the rows that it finds."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from bmat.aggregation.job import Ints

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Place(NamedTuple):
    """The row number `row` of row group number `group`. There is one behind the last row: row 0 of
    the row group that would come next.
    """

    group: int
    row: int


class Span(NamedTuple):
    """The rows from place `first` to before place `last`."""

    first: Place
    last: Place


@dataclass(frozen=True)
class Days:
    """The days from `first` to `last`, both included."""

    first: date = date.min
    last: date = date.max

    def among(self, days: Ints) -> Ints:
        """Which of `days`, counted from 1970-01-01, are among these: their indexes."""
        first, last = (day.toordinal() - EPOCH_ORDINAL for day in (self.first, self.last))
        return np.flatnonzero((days >= first) & (days <= last))


@dataclass(frozen=True)
class Row:
    """The plays of a song on a day."""

    song: str
    date: date
    plays: int


@dataclass(frozen=True)
class Page:
    """Some rows, and the span that holds those after them: None where these are the last."""

    rows: list[Row]
    rest: Span | None
