"""Reading texts that can be read forward alone: by several readers, each of which claims the next
block, reads it on a guess where its first record starts, and waits for its turn; then the block is
settled, or read again from where the one before it ended.

A text is held no longer than until its blocks are settled, so all of that happens close together.
What a reader has not settled is in its arena still, from which it is taken back where the guess was
wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition, Lock

from bmat.aggregation.exchange.counts import Reading, Rejects
from bmat.aggregation.exchange.hot_cells import give_pairs_back, take_pairs
from bmat.aggregation.exchange.rejects import raise_strictly
from bmat.aggregation.exchange.rows import Spilled, SpillWriter
from bmat.aggregation.exchange.scratch import ScratchFile
from bmat.aggregation.job import Block, Job
from bmat.aggregation.kernels.arrays import Ints
from bmat.aggregation.kernels.pairs import add_pairs
from bmat.aggregation.progress import TaskProgress
from bmat.aggregation.read.block import GIVEN_UP, BlockReader
from bmat.aggregation.read.record import LAST_BYTES
from bmat.aggregation.read.settled import Settled, first_line, preamble, reading_of
from bmat.aggregation.source.window import Released, Window
from bmat.aggregation.workspace import Arena, ReadingMemory

# So many blocks may be read, or wait for their turn, for each reader.
BLOCKS_PER_READER = 2
SECONDS_BETWEEN_LOOKS = 0.1


class WrongGuess(Exception):
    """No record starts where this block was read from."""


class Blocks:
    """The blocks of one text: claimed in order, and settled in order."""

    def __init__(self, job: Job, number: int, window: Window) -> None:
        self.window = window
        self._job = job
        self._source = number
        self._layout = job.sources[number].layout
        self._settling = Condition()
        self._claimed = self._settled = 0
        # Where the next record starts, and on which line.
        self._end, self._line = self._layout.data_start, self._layout.first_line
        self._listed = 0
        self._readings: list[Rejects] = []

    def claim(self) -> Block | None:
        """The next block, whose bytes have come; None where there is none any more."""
        size = self._job.sizes.stream_block_bytes
        ahead = BLOCKS_PER_READER * self._job.readers
        if not self._claimed:
            self.window.start()
        self._wait(lambda: self._claimed < self._settled + ahead)
        start = self._layout.data_start + self._claimed * size
        # A byte more, so that the last one is known to be that.
        stop = start + size if self.window.wait_for(start + size + 1) else self.window.size
        stop = min(stop, start + size)
        if start >= stop:
            return None
        self._claimed += 1
        return Block(self._source, start, stop)

    def finish(self) -> None:
        """Wait until all blocks are settled; of the text the end is held."""
        self._wait(lambda: self._claimed == self._settled)
        self.window.close()
        self.window.keep_end(LAST_BYTES)

    def true_start(self, block: Block) -> int:
        """Where the first record starts of a block: known when those before it are settled."""
        number = (block.start - self._layout.data_start) // self._job.sizes.stream_block_bytes
        self._wait(lambda: self._settled == number)
        return self._end

    def settle(self, block: Block, reading: Reading) -> None:
        """The block is read, from its true start. Raises AggregationError `strict_violation`, where
        nothing else of the run could come before it.
        """
        job, rejects = self._job, Rejects(self._source, self._line, reading)
        if job.strict and not job.blocks:
            if not self._settled:
                source = job.sources[self._source]
                raise_strictly(job, Rejects(self._source, 1, preamble(source)))
            raise_strictly(job, rejects)
        with self._settling:
            self._add(rejects)
            self._listed += reading.listed
            self._line += reading.lines
            self._end = reading.end
            self._settled += 1
            self._settling.notify_all()
        # The next block's first line may begin with its first byte, behind an end before it.
        self.window.release(max(block.stop - 1 - LAST_BYTES, 0))

    @property
    def left_to_list(self) -> int:
        """How many rejects are to be listed still."""
        return max(self._job.listed_rejects - self._listed, 0)

    def result(self) -> Settled:
        """All that was settled."""
        return Settled(tuple(self._readings), None, self._source, self._end, self._line)

    def _add(self, rejects: Rejects) -> None:
        """Blocks that list nothing are added up: there may be any number of them."""
        before = self._readings[-1] if self._readings else None
        if before is None or before.reading.listed or rejects.reading.listed:
            self._readings.append(rejects)
        else:
            self._readings[-1] = replace(before, reading=sum_of(before.reading, rejects.reading))

    def _wait(self, is_so: Callable[[], bool]) -> None:
        """Wait until this is so. Raises Stopped where the run ends before."""
        with self._settling:
            while not self._settling.wait_for(is_so, SECONDS_BETWEEN_LOOKS):
                self.window.check()


def sum_of(before: Reading, more: Reading) -> Reading:
    """Two stretches, one behind the other, as one."""
    return replace(
        before,
        end=more.end,
        lines=before.lines + more.lines,
        rows_counted=before.rows_counted + more.rows_counted,
        plays=before.plays + more.plays,
        reasons=tuple(a + b for a, b in zip(before.reasons, more.reasons, strict=True)),
    )


class Streams:
    """All texts of a run that can be read forward alone, one after another."""

    def __init__(self, job: Job) -> None:
        self._texts = [
            Blocks(job, number, source.window)
            for number, source in enumerate(job.sources)
            if source.window is not None and source.is_stream
        ]
        self._claiming = Lock()
        self._current = 0
        # No two readers add to the cells at the same time.
        self.adding = Lock()

    def claim(self) -> tuple[Blocks, Block] | None:
        """The next block of the text that is being read, or the first one of the next text; None
        where there is none any more.
        """
        with self._claiming:
            while self._current < len(self._texts):
                blocks = self._texts[self._current]
                block = blocks.claim()
                if block is not None:
                    return blocks, block
                blocks.finish()
                self._current += 1
        return None

    def settled(self, rows: list[Spilled | None]) -> list[Settled]:
        """What the texts came to, and the rows of all readers."""
        results = [blocks.result() for blocks in self._texts]
        return results + [Settled((), one, 0, 0, 0) for one in rows]


@dataclass(frozen=True)
class Before:
    """How an arena was before a block."""

    next_byte: int
    chunks: int
    heads: Ints

    @classmethod
    def of(cls, arena: Arena) -> "Before":
        return cls(int(arena.state.next_byte), int(arena.state.chunks), arena.heads.copy())

    def restore(self, arena: Arena) -> None:
        """Take back what was put in since. The bytes stay, and are written again."""
        arena.state.next_byte, arena.state.chunks = self.next_byte, self.chunks
        arena.heads[:] = self.heads


@dataclass(frozen=True)
class BlockProgress:
    """The progress of a reader in one block, behind those that it has read before."""

    reader: TaskProgress
    done_bytes: int
    done_rows: int

    def check(self) -> None:
        self.reader.check()

    def report(self, done_bytes: int, done_rows: int) -> None:
        self.reader.report(self.done_bytes + done_bytes, self.done_rows + done_rows)


class StreamReader:
    """Reads the blocks that it claims, in memory that it is lent."""

    def __init__(
        self, job: Job, streams: Streams, memory: ReadingMemory, progress: TaskProgress
    ) -> None:
        self._job = job
        self._streams = streams
        self._memory = memory
        self._progress = BlockProgress(progress, 0, 0)
        self._rows = SpillWriter(job.folder, job.workspace.rows, job.splitters.partitions)
        self._rejects = ScratchFile(job.folder, "rejects")
        self._pairs = take_pairs(job)
        self._pair_count = 0
        memory.arena.prepare(job.splitters.partitions)

    def read(self, blocks: Blocks, block: Block) -> None:
        """Read a block that was claimed, and settle it."""
        self._progress.check()
        guess = self._guess(blocks, block)
        if guess is None:
            start = blocks.true_start(block)
            # Nothing before the place that is read is needed by now.
            guess = self._read(blocks, block, start, lambda: None, is_guess=False)
            assert guess is not None
        reading, pair_count = guess
        blocks.settle(block, reading)
        self._pair_count = pair_count
        if 2 * pair_count > len(self._pairs):
            self._add_pairs()
        self._progress = replace(
            self._progress,
            done_bytes=self._progress.done_bytes + block.stop - block.start,
            done_rows=self._progress.done_rows + reading.rows_counted + sum(reading.reasons),
        )

    def _guess(self, blocks: Blocks, block: Block) -> tuple[Reading, int] | None:
        """The block, read on the guess that its first line starts a record; None where this is not
        so, or was not found out. Nothing of it is left then.
        """
        source = self._job.sources[block.source]
        is_first = block.start == source.layout.data_start
        before, rejects_size = Before.of(self._memory.arena), self._rejects.size
        try:
            start = block.start if is_first else first_line(blocks.window, block, source)

            def confirm() -> None:
                if blocks.true_start(block) != start:
                    raise WrongGuess

            if start >= 0:
                found = self._read(blocks, block, start, confirm, is_guess=not is_first)
                if found is not None:
                    confirm()
                    return found
        except (WrongGuess, Released):
            pass
        before.restore(self._memory.arena)
        self._rejects.size = rejects_size
        return None

    def _read(
        self,
        blocks: Blocks,
        block: Block,
        start: int,
        confirm: Callable[[], None],
        *,
        is_guess: bool,
    ) -> tuple[Reading, int] | None:
        """The block, read from `start`, and how many pairs there are then. What goes to a file, or
        to others, is confirmed before. None where it `is_guess`, and a record was given up.
        """
        job, memory = self._job, self._memory
        if start >= block.stop:
            return Reading(start, start), self._pair_count

        def on_arena() -> None:
            confirm()
            self._rows.write(memory.arena)

        rejects_at = self._rejects.size
        reader = BlockReader(
            memory,
            job.sources[block.source],
            job.splitters,
            job.hot,
            self._pairs,
            self._pair_count,
            on_arena,
            lambda count: self._rejects.append([memory.rejects.data[:count]]),
            blocks.left_to_list,
            job.hash_key,
        )
        layout = job.sources[block.source].layout
        text = blocks.window if is_guess else ForwardText(blocks.window, layout.bounds.held)
        end = reader.read(text, start, block.stop, self._progress, is_guess)
        if end == GIVEN_UP:
            return None
        reader.flush_rejects()
        self._progress.report(block.stop - block.start, reader.rows_read)
        reading = reading_of(reader.state, start, end, self._rejects.path, rejects_at)
        return reading, reader.pair_count

    def _add_pairs(self) -> None:
        with self._streams.adding:
            add_pairs(self._job.workspace.rows.cells, self._pairs, self._pair_count)
        self._pair_count = 0

    def result(self) -> Spilled | None:
        """The rows of all blocks."""
        if self._pair_count:
            self._add_pairs()
        give_pairs_back(self._job, self._pairs)
        self._rows.write(self._memory.arena)
        rows = self._rows.result()
        return None if rows.is_empty else rows


@dataclass(frozen=True)
class ForwardText:
    """A text that is read from where all before is settled: of a record that never ends, what has
    been passed over is released, but for as many bytes as a reader may go back.
    """

    window: Window
    most_back: int

    @property
    def size(self) -> int:
        return self.window.size

    def read_into(self, view: memoryview, offset: int) -> int:
        self.window.release(max(offset - self.most_back - LAST_BYTES, 0))
        return self.window.read_into(view, offset)


def read_streams(job: Job, streams: Streams, number: int) -> Spilled | None:
    """What one of the readers does: read blocks until there is none any more. Returns the rows."""
    with (
        job.workspace.reading.borrow() as memory,
        job.progress_of_reader(number) as progress,
    ):
        reader = StreamReader(job, streams, memory, progress)
        while claimed := streams.claim():
            reader.read(*claimed)
        return reader.result()


def settled_streams(streams: Streams, rows: list[Spilled | None]) -> list[Settled]:
    """What all readers came to."""
    return streams.settled(rows)
