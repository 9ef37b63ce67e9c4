"""One partition as lines of CSV, and what is to be known of them."""

import numpy as np

from bmat.aggregation.exchange.parts import (
    MOST_COMPARED_SONGS,
    TOP_SONGS,
    Overflow,
    Part,
    SongTexts,
    Sums,
    few_songs,
    first_of_top,
    stored,
)
from bmat.aggregation.exchange.scratch import ScratchFile
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import (
    FormatState,
    LineTexts,
    PaddedBytes,
    number_of,
)
from bmat.aggregation.kernels.fields import MONTH_STARTS
from bmat.aggregation.kernels.format import (
    FORMATTED,
    NUMBER_TEXTS,
    OVERFLOW,
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
        self._songs: list[SongTexts] | None = []
        self.overflow: Overflow | None = None

    def write(self, table: Table) -> None:
        """Add the totals of a table, which sort behind all that came before."""
        table.sort()
        state = FormatState.new()
        state.first_day, state.last_day = self._first_day, self._last_day
        state.text_bytes = self._text_bytes
        outcome = self._format(state)
        while outcome not in (FORMATTED, OVERFLOW):
            self._progress.check()
            self._file.append([self._text.data[: int(state.text_bytes)]])
            state.text_bytes = 0
            outcome = self._format(state)
        self._text_bytes = int(state.text_bytes)
        self._plays += number_of(state.plays_low, state.plays_high)
        self._first_day, self._last_day = int(state.first_day), int(state.last_day)
        if outcome == OVERFLOW:
            song = table.song(int(self._memory.ordered.order[state.rank]))
            total = number_of(state.overflow_low, state.overflow_high)
            self.overflow = Overflow(song, int(state.overflow_day), total)
            return
        self._groups += int(state.groups)
        self._note_top(table)
        self._songs = few_songs(self._songs, self._songs_of(table))

    def _format(self, state: FormatState) -> int:
        memory = self._memory
        lines = LineTexts(
            memory.prefix, memory.dates, MONTH_STARTS, NUMBER_TEXTS, len(self._job.group_by)
        )
        outcome: int = format_songs(
            state, memory.table, memory.ordered, memory.sums, lines, self._text
        )
        return outcome

    def _note_top(self, table: Table) -> None:
        """Keep the songs with the most plays, those first in order where plays are the same."""
        memory, songs = self._memory, table.song_count
        high, low = memory.sums.song_high[:songs], memory.sums.song_low[:songs]
        ranks = np.arange(songs)
        if songs > TOP_SONGS and not high.any():
            bound = np.partition(low, songs - TOP_SONGS)[songs - TOP_SONGS]
            ranks = np.flatnonzero(low >= bound)
            above = ranks[low[ranks] > bound]
            equal = ranks[low[ranks] == bound][: TOP_SONGS - len(above)]
            ranks = np.concatenate([above, equal])
        self._top += [
            (number_of(low[rank], high[rank]), table.song(int(memory.ordered.order[rank])))
            for rank in ranks
        ]
        self._top = first_of_top(self._top)

    def _songs_of(self, table: Table) -> list[SongTexts] | None:
        """All songs of the table, unless they are too many."""
        if self._songs is None or table.song_count > MOST_COMPARED_SONGS:
            return None
        starts = self._memory.table.starts[: table.song_count + 1].copy()
        return [SongTexts(self._memory.table.texts[: starts[-1]].tobytes(), starts)]

    def finish(self) -> Part:
        """The part. The memory's sums by day are cleared."""
        memory = self._memory
        span = slice(self._first_day, self._last_day + 1)
        low, high = memory.sums.day_low[span], memory.sums.day_high[span]
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
                songs=self._songs,
                overflow=self.overflow,
            ),
        )
        low[:], high[:] = 0, 0
        return part
