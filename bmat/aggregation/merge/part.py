"""One partition as lines of CSV, and what is to be known of them."""

from dataclasses import dataclass

import numpy as np

from bmat.aggregation.exchange.scratch import ScratchFile, Stored, stored
from bmat.aggregation.job import Ints, Job, Words
from bmat.aggregation.kernels.fields import MONTH_STARTS
from bmat.aggregation.kernels.format import (
    FORMAT_FIELDS,
    FORMATTED,
    NUMBER_TEXTS,
    OVERFLOW,
    W_FIRST_DAY,
    W_GROUPS,
    W_LAST_DAY,
    W_OVERFLOW_DAY,
    W_OVERFLOW_HIGH,
    W_OVERFLOW_LOW,
    W_PLAYS_HIGH,
    W_PLAYS_LOW,
    W_RANK,
    W_TEXT_BYTES,
    format_songs,
)
from bmat.aggregation.kernels.padded import PaddedBytes, grown, size_of
from bmat.aggregation.merge.table import Table
from bmat.aggregation.progress import Beacon
from bmat.aggregation.workspace import ALL_DAYS, MergingMemory

TOP_SONGS = 100


@dataclass(frozen=True)
class Overflow:
    """The first total, in output order, that is past the largest possible one."""

    song: bytes
    day: int
    total: int


@dataclass(frozen=True)
class Sums:
    """What is to be known of the totals so far, and does not grow with them.

    `first_day` and `last_day` are those that occur; `days` are those with plays, in order,
    `day_low` and `day_high` their sums in words of 64 bits; `top` are the songs with the most
    plays, with their totals; `overflow` is the first total that is too large.
    """

    groups: int
    plays: int
    first_day: int
    last_day: int
    days: Ints
    day_low: Words
    day_high: Words
    top: list[tuple[int, bytes]]
    overflow: Overflow | None


@dataclass(frozen=True)
class Part:
    """The lines of one partition, as `text`."""

    text: Stored
    sums: Sums


class PartWriter:
    """Collects the lines of one partition, and what is to be known of them."""

    def __init__(self, job: Job, memory: MergingMemory, text: PaddedBytes, beacon: Beacon) -> None:
        self._job = job
        self._beacon = beacon
        self._memory = memory
        self._text = text
        self._file = ScratchFile(job.folder, "part")
        self._text_bytes = 0
        self._groups = 0
        self._plays = 0
        self._first_day, self._last_day = ALL_DAYS, -1
        self._top: list[tuple[int, bytes]] = []
        self.overflow: Overflow | None = None

    def write(self, table: Table) -> None:
        """Add the totals of a table, which sort behind all that came before."""
        table.sort()
        state: Ints = np.zeros(FORMAT_FIELDS, dtype=np.int64)
        state[W_FIRST_DAY], state[W_LAST_DAY] = self._first_day, self._last_day
        state[W_TEXT_BYTES] = self._text_bytes
        outcome = self._format(state, table)
        while outcome not in (FORMATTED, OVERFLOW):
            self._beacon.check()
            self._make_room(state)
            outcome = self._format(state, table)
        self._text_bytes = int(state[W_TEXT_BYTES])
        self._plays += words_of(state, W_PLAYS_LOW, W_PLAYS_HIGH)
        self._first_day, self._last_day = int(state[W_FIRST_DAY]), int(state[W_LAST_DAY])
        if outcome == OVERFLOW:
            song = table.song(int(self._memory.order[state[W_RANK]]))
            total = words_of(state, W_OVERFLOW_LOW, W_OVERFLOW_HIGH)
            self.overflow = Overflow(song, int(state[W_OVERFLOW_DAY]), total)
            return
        self._groups += int(state[W_GROUPS])
        self._note_top(table)

    def _format(self, state: Ints, table: Table) -> int:
        memory = self._memory
        return format_songs(
            state,
            memory.order,
            table.song_count,
            memory.starts,
            memory.texts,
            memory.row_starts,
            memory.gathered,
            memory.wide,
            memory.state,
            memory.cells,
            self._text,
            memory.prefix,
            memory.date_texts,
            MONTH_STARTS,
            NUMBER_TEXTS,
            memory.song_low,
            memory.song_high,
            memory.day_low,
            memory.day_high,
        )

    def _make_room(self, state: Ints) -> None:
        """Grow the text, or move it to a file where it is as large as it may be."""
        used = int(state[W_TEXT_BYTES])
        size = size_of(self._text)
        if used and size >= self._job.sizes.written_text_bytes:
            self._file.append([self._text.data[:used]])
            state[W_TEXT_BYTES] = 0
        else:
            self._text = grown(self._text, 2 * size, used)

    def _note_top(self, table: Table) -> None:
        """Keep the songs with the most plays, those first in order where plays are the same."""
        memory, songs = self._memory, table.song_count
        high, low = memory.song_high[:songs], memory.song_low[:songs]
        ranks = np.arange(songs)
        if songs > TOP_SONGS and not high.any():
            bound = np.partition(low, songs - TOP_SONGS)[songs - TOP_SONGS]
            ranks = np.flatnonzero(low >= bound)
            above = ranks[low[ranks] > bound]
            equal = ranks[low[ranks] == bound][: TOP_SONGS - len(above)]
            ranks = np.concatenate([above, equal])
        self._top += [
            (int(low[rank]) + (int(high[rank]) << 64), table.song(int(memory.order[rank])))
            for rank in ranks
        ]
        self._top = first_of_top(self._top)

    def finish(self) -> Part:
        """The part. The memory's sums by day are cleared."""
        memory = self._memory
        span = slice(self._first_day, self._last_day + 1)
        low, high = memory.day_low[span], memory.day_high[span]
        found = np.flatnonzero(low | high)
        part = Part(
            text=stored(self._file, self._text, self._text_bytes),
            sums=Sums(
                groups=self._groups,
                plays=self._plays,
                first_day=self._first_day,
                last_day=self._last_day,
                days=found + self._first_day,
                day_low=low[found],
                day_high=high[found],
                top=self._top,
                overflow=self.overflow,
            ),
        )
        low[:], high[:] = 0, 0
        return part


def added(before: Sums, more: Sums) -> Sums:
    """The sums of totals, and of `more` that follow them."""
    days = np.union1d(before.days, more.days)
    low, high = np.zeros(len(days), np.uint64), np.zeros(len(days), np.uint64)
    for one in (before, more):
        places = np.searchsorted(days, one.days)
        sums = low[places] + one.day_low
        high[places] += one.day_high + (sums < one.day_low)
        low[places] = sums
    return Sums(
        groups=before.groups + more.groups,
        plays=before.plays + more.plays,
        first_day=min(before.first_day, more.first_day),
        last_day=max(before.last_day, more.last_day),
        days=days,
        day_low=low,
        day_high=high,
        top=first_of_top(before.top + more.top),
        overflow=before.overflow or more.overflow,
    )


def first_of_top(top: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The songs with the most plays, at most TOP_SONGS; by name where plays are the same."""
    return sorted(top, key=lambda entry: (-entry[0], entry[1]))[:TOP_SONGS]


def words_of(state: Ints, low: int, high: int) -> int:
    """The number whose low and high 64 bits are in `state`."""
    return int(state[low : low + 1].view(np.uint64)[0]) + (int(state[high]) << 64)
