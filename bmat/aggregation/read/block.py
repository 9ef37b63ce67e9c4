"""Driving the parsing kernel over a stretch of a text."""

from collections.abc import Callable

import numpy as np

from bmat.aggregation.exchange.splitters import buckets_of
from bmat.aggregation.kernels.arrays import (
    LISTED_RECORD_BYTES,
    FoundFields,
    HotSongs,
    ParseState,
    Splitters,
    Words,
)
from bmat.aggregation.kernels.fields import MONTH_STARTS
from bmat.aggregation.kernels.judge import (
    FIELD,
    MALFORMED_QUOTES,
    TOO_LONG,
    UNTERMINATED_QUOTE,
    list_passed,
    pass_over,
)
from bmat.aggregation.kernels.parse import ARENA_FULL, DONE, NEEDS_BYTES, parse_block
from bmat.aggregation.kernels.split import CUT_OFF, MALFORMED, UNTERMINATED, WHOLE
from bmat.aggregation.progress import TaskProgress
from bmat.aggregation.read.dialect import record_layout, record_rules
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.text import Readable
from bmat.aggregation.workspace import ReadingMemory

# Most records are no longer: the last one of a stretch is read with it, up to so many bytes behind.
MOST_SHORT_RECORD_BYTES = 2**12
# What `BlockReader.read` returns for a record that it has given up.
GIVEN_UP = -2


# Why a record does not count that was passed over.
PASSED_REASONS = {
    WHOLE: TOO_LONG,
    UNTERMINATED: UNTERMINATED_QUOTE,
    MALFORMED: MALFORMED_QUOTES,
}


class BlockReader:
    """Drives the parsing kernel over a text, in the memory it is lent.

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
        self._on_arena = on_arena
        self._on_rejects = on_rejects
        self._splitters = splitters
        self._buckets = buckets_of(splitters)
        self._hot = hot
        self._hash_key = np.uint64(hash_key)
        layout = source.layout
        self._longest = layout.bounds.held
        self._layout, self._rules = record_layout(layout), record_rules(layout)
        self.state = ParseState.new()
        self.state.most_listed, self.state.pairs = most_listed, pair_count
        self._found = FoundFields.new()

    def read(
        self,
        text: Readable,
        start: int,
        stop: int,
        progress: TaskProgress | None,
        is_guess: bool = False,
    ) -> int:
        """Read the records that start in the text's bytes `start` to `stop`. Returns where the
        next record starts.

        Where it `is_guess` that one starts at `start`, a record that is too long is given up at
        `stop`, with GIVEN_UP: of a line of gigabytes, not each block shall look for the end.
        """
        state = self.state
        self._begin, self._stop, self._progress = start, stop, progress
        offset, filled = start, 0
        most = min(self.memory.read_bytes, 4 * self._longest)
        most = min(most, stop - start + MOST_SHORT_RECORD_BYTES)
        while offset < stop:
            filled += self._fill(text, offset, filled, most)
            state.stop = stop - offset
            outcome = self._parse()
            used = int(state.position)
            if outcome == DONE:
                return offset + used
            if used == 0 and filled >= self._longest:
                offset = self._pass_over(text, offset, is_guess)
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

    def _pass_over(self, text: Readable, start: int, is_guess: bool) -> int:
        """Pass over the record at byte `start`, which is too long, and list it. Returns where the
        next one starts; GIVEN_UP where it `is_guess` that this one does.
        """
        state = self.state
        found = self._found
        state.passed_kind, state.passed_fields, state.passed_bytes = FIELD, 0, 0
        found.lines = 0
        offset, filled, begin = start, 0, b""
        while True:
            count = self._fill(text, offset, filled, self._longest)
            if len(begin) < LISTED_RECORD_BYTES:
                begin += self.memory.buffer[filled : filled + count].tobytes()
            filled += count
            outcome = pass_over(self.memory.buffer, state, found, self._layout, self._rules)
            used = int(state.position)
            offset += used
            if outcome != CUT_OFF:
                break
            if is_guess and offset >= self._stop:
                return GIVEN_UP
            filled = self._keep(used, filled)
            self._report(offset)
        # Where the record stops, as the kernel has it: in the buffer, the next one is at `used`.
        stop = offset - used + int(found.stop)
        listed = begin[: min(stop - start, LISTED_RECORD_BYTES)]
        count = len(listed)
        self.memory.text[:count] = np.frombuffer(listed, dtype=np.uint8)
        reason = PASSED_REASONS[outcome]
        rejects = self.memory.rejects
        while not list_passed(state, found, rejects, self.memory.text, count, reason):
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
        return int(self.state.pairs)

    @property
    def rows_read(self) -> int:
        return int(self.state.rows_counted + self.state.reasons.sum())

    def _fill(self, text: Readable, offset: int, filled: int, most: int) -> int:
        """The buffer begins with `filled` bytes from the text's `offset` on: read on, up to `most`
        of them, and tell the kernels. Returns how many bytes have come.
        """
        state = self.state
        end = min(offset + most, text.size)
        view = self.memory.buffer.data[filled : end - offset]
        count = text.read_into(view, offset + filled)
        if not count:
            raise OSError(f"A file of {text.size} bytes has become shorter while it was read.")
        state.position, state.end = 0, filled + count
        state.is_last = offset + filled + count >= text.size
        return count

    def _parse(self) -> int:
        """Call the kernel until it is done, or needs bytes."""
        memory = self.memory
        while True:
            outcome: int = parse_block(
                memory.buffer,
                self.state,
                self._found,
                self._layout,
                self._rules,
                memory.scratch,
                MONTH_STARTS,
                self._splitters,
                self._buckets,
                self._hot,
                self._hash_key,
                memory.seen,
                self.pairs,
                memory.arena.arrays,
                memory.rejects,
            )
            if outcome in (DONE, NEEDS_BYTES):
                return outcome
            if outcome == ARENA_FULL:
                self._on_arena()
            else:
                self.flush_rejects()

    def flush_rejects(self) -> None:
        count = int(self.state.reject_bytes)
        if count:
            self._on_rejects(count)
        self.state.reject_bytes = 0

    def flush_rows(self) -> None:
        """Pass on what is left in the arena."""
        if self.memory.arena.used_bytes:
            self._on_arena()
