"""Driving the parsing kernel over a stretch of a file."""

import os
from collections.abc import Callable

from bmat.aggregation.beacon import Beacon
from bmat.aggregation.job import HotSongs, Source, Splitters, Words
from bmat.aggregation.kernel_fields import MONTH_STARTS
from bmat.aggregation.kernel_parse import ARENA_FULL, DONE, NEEDS_BYTES, parse_block
from bmat.aggregation.kernel_state import (
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
)
from bmat.aggregation.memory import ReadingMemory
from bmat.aggregation.padded import SLACK_BYTES
from bmat.aggregation.splitting import buckets_of


class BlockReader:
    """Drives the parsing kernel over a file, in the memory it is lent.

    `on_arena` is called with rows when the arena is full, and must empty it; `on_rejects` with
    the number of bytes of listed rejects.
    """

    def __init__(
        self,
        memory: ReadingMemory,
        source: Source,
        splitters: Splitters,
        hot: HotSongs,
        pairs: Words,
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
        state[P_SCRATCH] = memory.read_bytes + SLACK_BYTES
        state[P_DELIMITER], state[P_FIELD_COUNT] = layout.delimiter[0], layout.field_count
        state[P_SONG], state[P_DATE], state[P_PLAYS] = layout.song, layout.date, layout.plays
        state[P_SPLITTER_SKIP] = splitters.skip
        state[P_BUCKET_WIDTH] = self._buckets.width
        state[P_HOT_SONGS] = len(hot)
        state[P_FIRST_DAY], state[P_DAYS] = hot.first_day, hot.days
        memory.arena.prepare(splitters.partitions)

    def read(self, descriptor: int, start: int, stop: int, beacon: Beacon | None) -> int:
        """Read the records that start in the file's bytes `start` to `stop`. Returns where the
        next record starts.
        """
        memory, state = self.memory, self.state
        offset, filled = start, 0
        state[P_POSITION] = 0
        while True:
            filled += self._fill(descriptor, offset + filled, filled)
            state[P_STOP], state[P_END] = stop - offset, filled
            state[P_IS_LAST] = offset + filled >= self.size
            outcome = self._parse()
            if outcome == DONE:
                return offset + int(state[P_POSITION])
            used = int(state[P_POSITION])
            if used == 0 and filled == memory.read_bytes:
                memory.grow_buffer(filled)
                state[P_SCRATCH] = memory.read_bytes + SLACK_BYTES
            filled -= used
            memory.buffer[:filled] = memory.buffer[used : used + filled].copy()
            offset += used
            state[P_POSITION] = 0
            if beacon is not None:
                beacon.report(offset - start, self.rows_read)

    @property
    def pair_count(self) -> int:
        return int(self.state[P_PAIRS])

    @property
    def rows_read(self) -> int:
        return int(self.state[P_ROWS_COUNTED] + self.state[P_REASONS:].sum())

    def _fill(self, descriptor: int, offset: int, filled: int) -> int:
        """Read on at the file's `offset` into the buffer's free part; returns how many bytes."""
        room = min(self.memory.read_bytes - filled, self.size - offset)
        view = self.memory.buffer.data[filled : filled + room]
        count = os.preadv(descriptor, [view], offset)
        if not count:
            raise OSError(f"A file of {self.size} bytes has become shorter while it was read.")
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
                self.make_room()
            else:
                self.flush_rejects()

    def make_room(self) -> None:
        """Empty the arena, or make a larger one where it is empty."""
        if self.memory.arena.is_empty:
            self.memory.arena.grow(self._splitters.partitions)
        else:
            self._on_arena()

    def flush_rejects(self) -> None:
        count = int(self.state[P_REJECT_BYTES])
        if count:
            self._on_rejects(count)
        self.state[P_REJECT_BYTES] = 0

    def flush_rows(self) -> None:
        """Pass on what is left in the arena."""
        if not self.memory.arena.is_empty:
            self._on_arena()
