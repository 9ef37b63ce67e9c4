"""Driving the parsing kernel over a stretch of a file."""

import os
from collections.abc import Callable

import numpy as np

from bmat.aggregation.exchange.splitters import buckets_of
from bmat.aggregation.job import HotSongs, Splitters
from bmat.aggregation.kernels.arrays import Words
from bmat.aggregation.kernels.fields import MONTH_STARTS
from bmat.aggregation.kernels.judge import (
    FIELD,
    LISTED_RECORD_BYTES,
    P_BUCKET_WIDTH,
    P_DATE,
    P_DAYS,
    P_DELIMITER,
    P_END,
    P_FIELD_COUNT,
    P_FIRST_DAY,
    P_HOT_SONGS,
    P_IS_LAST,
    P_MOST_LISTED,
    P_MOST_QUOTED,
    P_MOST_RECORD,
    P_MOST_SONG,
    P_PAIRS,
    P_PLAYS,
    P_POSITION,
    P_REASONS,
    P_REJECT_BYTES,
    P_ROWS_COUNTED,
    P_SCRATCH,
    P_SONG,
    P_SPLITTER_SKIP,
    P_STOP,
    PASSED_KIND,
    PASSED_LINES,
    TOO_LONG,
    UNTERMINATED_QUOTE,
    list_passed,
    pass_over,
)
from bmat.aggregation.kernels.parse import ARENA_FULL, DONE, NEEDS_BYTES, parse_block
from bmat.aggregation.kernels.split import CUT_OFF, UNTERMINATED
from bmat.aggregation.progress import TaskProgress
from bmat.aggregation.source.layout import Source
from bmat.aggregation.system import read_into
from bmat.aggregation.workspace import ReadingMemory

# What `BlockReader.read` returns for a record that it has given up.
GIVEN_UP = -2


class BlockReader:
    """Drives the parsing kernel over a file, in the memory it is lent.

    `on_arena` is called when the arena, which is prepared for the partitions, is full, and must
    empty it; `on_rejects` with the number of bytes of listed rejects. `pairs` has `pair_count`
    pairs from before.
    """

    def __init__(
        self,
        memory: ReadingMemory,
        source: Source,
        splitters: Splitters,
        hot: HotSongs,
        pairs: Words,
        pair_count: int,
        on_arena: Callable[[], None],
        on_rejects: Callable[[int], None],
        most_listed: int,
        hash_key: int,
    ) -> None:
        self.memory = memory
        self.pairs = pairs
        self.size = source.size
        self._on_arena = on_arena
        self._on_rejects = on_rejects
        self._splitters = splitters
        self._buckets = buckets_of(splitters)
        self._hot = hot
        self._hash_key = hash_key
        state = self.state = memory.state
        layout = source.layout
        state[:] = 0
        state[P_MOST_LISTED] = most_listed
        state[P_SCRATCH] = memory.scratch
        bounds = layout.bounds
        self._longest = bounds.held
        state[P_MOST_RECORD], state[P_MOST_QUOTED] = bounds.record, bounds.quoted_field
        state[P_MOST_SONG] = bounds.song
        state[P_DELIMITER], state[P_FIELD_COUNT] = layout.delimiter[0], layout.field_count
        state[P_SONG], state[P_DATE], state[P_PLAYS] = layout.song, layout.date, layout.plays
        state[P_SPLITTER_SKIP] = splitters.skip
        state[P_BUCKET_WIDTH] = self._buckets.width
        state[P_HOT_SONGS] = len(hot)
        state[P_FIRST_DAY], state[P_DAYS] = hot.first_day, hot.days
        state[P_PAIRS] = pair_count

    def read(
        self,
        descriptor: int,
        start: int,
        stop: int,
        progress: TaskProgress | None,
        is_guess: bool = False,
    ) -> int:
        """Read the records that start in the file's bytes `start` to `stop`. Returns where the
        next record starts.

        Where it `is_guess` that one starts at `start`, a record that is too long is given up at
        `stop`, with GIVEN_UP: of a line of gigabytes, not each block shall look for the end.
        """
        state = self.state
        self._begin, self._stop, self._progress = start, stop, progress
        offset, filled = start, 0
        most = min(self.memory.read_bytes, self._longest)
        while offset < stop:
            filled += self._fill(descriptor, offset, filled, most)
            state[P_STOP] = stop - offset
            outcome = self._parse()
            used = int(state[P_POSITION])
            if outcome == DONE:
                return offset + used
            if used == 0 and filled == self._longest:
                offset = self._pass_over(descriptor, offset, is_guess)
                if offset == GIVEN_UP:
                    return GIVEN_UP
                filled = 0
            else:
                # Twice as much at a time, until the record is there that did not fit.
                if used == 0 and filled == most:
                    most = min(2 * most, self._longest)
                filled = self._keep(used, filled)
                offset += used
            self._report(offset)
        return offset

    def _report(self, offset: int) -> None:
        """Say how far the reading is. Raises Stopped where it should not go on."""
        if self._progress is not None:
            self._progress.report(min(offset, self._stop) - self._begin, self.rows_read)

    def _pass_over(self, descriptor: int, start: int, is_guess: bool) -> int:
        """Pass over the record at byte `start`, which is too long, and list it. Returns where the
        next one starts; GIVEN_UP where it `is_guess` that this one does.
        """
        state = self.state
        state[PASSED_KIND], state[PASSED_LINES] = FIELD, 0
        offset, filled = start, 0
        while True:
            filled += self._fill(descriptor, offset, filled, self._longest)
            outcome = pass_over(self.memory.buffer, state)
            used = int(state[P_POSITION])
            offset += used
            if outcome != CUT_OFF:
                break
            if is_guess and offset >= self._stop:
                return GIVEN_UP
            filled = self._keep(used, filled)
            self._report(offset)
        text = os.pread(descriptor, min(offset - start, LISTED_RECORD_BYTES + 2), start)
        if len(text) == offset - start:
            text = text.removesuffix(b"\n").removesuffix(b"\r")
        count = min(len(text), LISTED_RECORD_BYTES)
        self.memory.text[:count] = np.frombuffer(text, dtype=np.uint8)[:count]
        reason = UNTERMINATED_QUOTE if outcome == UNTERMINATED else TOO_LONG
        while not list_passed(state, self.memory.rejects, self.memory.text, count, reason):
            self.flush_rejects()
        return offset

    def _keep(self, used: int, filled: int) -> int:
        """Move what was not used of the buffer to its front. Returns how many bytes that is."""
        rest = filled - used
        if used:
            self.memory.buffer[:rest] = self.memory.buffer[used:filled].copy()
        return rest

    @property
    def pair_count(self) -> int:
        return int(self.state[P_PAIRS])

    @property
    def rows_read(self) -> int:
        return int(self.state[P_ROWS_COUNTED] + self.state[P_REASONS:].sum())

    def _fill(self, descriptor: int, offset: int, filled: int, most: int) -> int:
        """The buffer begins with `filled` bytes from the file's `offset` on: read on, up to `most`
        of them, and tell the kernels. Returns how many bytes have come.
        """
        state = self.state
        end = min(offset + most, self.size)
        view = self.memory.buffer.data[filled : end - offset]
        count = read_into(descriptor, view, offset + filled)
        if not count:
            raise OSError(f"A file of {self.size} bytes has become shorter while it was read.")
        state[P_POSITION], state[P_END] = 0, filled + count
        state[P_IS_LAST] = offset + filled + count >= self.size
        return count

    def _parse(self) -> int:
        """Call the kernel until it is done, or needs bytes."""
        memory, hot, splitters = self.memory, self._hot, self._splitters
        arena = memory.arena
        while True:
            outcome = parse_block(
                memory.buffer,
                self.state,
                MONTH_STARTS,
                self._buckets.keys,
                self._buckets.starts,
                splitters.keys,
                splitters.starts,
                splitters.texts,
                hot.slots,
                hot.texts,
                self._hash_key,
                memory.seen,
                self.pairs,
                arena.bytes,
                arena.state,
                arena.heads,
                arena.chunks,
                memory.rejects,
            )
            if outcome in (DONE, NEEDS_BYTES):
                return outcome
            if outcome == ARENA_FULL:
                self._on_arena()
            else:
                self.flush_rejects()

    def flush_rejects(self) -> None:
        count = int(self.state[P_REJECT_BYTES])
        if count:
            self._on_rejects(count)
        self.state[P_REJECT_BYTES] = 0

    def flush_rows(self) -> None:
        """Pass on what is left in the arena."""
        if not self.memory.arena.is_empty:
            self._on_arena()
