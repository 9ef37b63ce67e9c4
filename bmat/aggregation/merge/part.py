"""One partition as lines of CSV, and what is to be known of them."""

import numpy as np

from bmat.aggregation.exchange.parts import TOP_SONGS, Overflow, Part, Sums, first_of_top, stored
from bmat.aggregation.exchange.scratch import ScratchFile
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Ints, PaddedBytes, grown, size_of
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
from bmat.aggregation.merge.table import Table
from bmat.aggregation.progress import TaskProgress
from bmat.aggregation.workspace import ALL_DAYS, MergingMemory


class PartWriter:
    """Collects the lines of one partition, and what is to be known of them."""

    def __init__(
        self, job: Job, memory: MergingMemory, text: PaddedBytes, progress: TaskProgress
    ) -> None:
        self._job = job
        self._progress = progress
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
            self._progress.check()
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


def words_of(state: Ints, low: int, high: int) -> int:
    """The number whose low and high 64 bits are in `state`."""
    return int(state[low : low + 1].view(np.uint64)[0]) + (int(state[high]) << 64)
