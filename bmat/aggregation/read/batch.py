"""Reading a batch of blocks: their bytes through the parsing kernel, their rows and rejects to
files.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bmat.aggregation.exchange.counts import Reading
from bmat.aggregation.exchange.hot_cells import NO_PAIRS, give_pairs_back, sum_up, take_pairs
from bmat.aggregation.exchange.rows import Spilled, SpillWriter
from bmat.aggregation.exchange.scratch import ScratchFile
from bmat.aggregation.job import Block, Job
from bmat.aggregation.kernels.arrays import ParseState, Words, number_of
from bmat.aggregation.read.block import GIVEN_UP, BlockReader
from bmat.aggregation.source.layout import Source
from bmat.aggregation.workspace import ReadingMemory


@dataclass(frozen=True)
class BatchReading:
    """What the blocks of a batch came to, each with its `readings`: none where the batch was to be
    read on a guess, and none could be made. Their rows are together, and so are the `pairs` of hot
    songs, where they wait for the cells that the run's tasks share.
    """

    readings: tuple[Reading, ...] = ()
    rows: Spilled | None = None
    pairs: Words = field(default_factory=lambda: NO_PAIRS)
    pair_count: int = 0


class BatchReader:
    """Reads the blocks of a batch, in memory that it is lent."""

    def __init__(self, job: Job, memory: ReadingMemory) -> None:
        self._job = job
        self._memory = memory
        self._rows = SpillWriter(job.folder, job.workspace.rows, job.splitters.partitions)
        self._rejects = ScratchFile(job.folder, "rejects")
        self._pairs = take_pairs(job)
        self._pair_count = 0
        memory.arena.prepare(job.splitters.partitions)

    def read(self, number: int, start: int, is_guess: bool) -> Reading | None:
        """Read the records of a block from byte `start` on. None where it `is_guess` that one
        starts there, and this was not found out.
        """
        job, memory = self._job, self._memory
        block = job.blocks[number]
        source = job.sources[block.source]
        rejects_at = self._rejects.size
        with job.progress_of_block(number) as progress, opened(source.path) as descriptor:
            if is_guess:
                start = first_line(descriptor, block, source)
                if start < 0:
                    return None
            if start >= block.stop:
                progress.report(block.stop - block.start, 0)
                return Reading(start, start)
            reader = BlockReader(
                memory,
                source,
                job.splitters,
                job.hot,
                self._pairs,
                self._pair_count,
                lambda: self._rows.write(memory.arena),
                lambda count: self._rejects.append([memory.rejects.data[:count]]),
                job.listed_rejects,
                job.hash_key,
            )
            end = reader.read(descriptor, start, block.stop, progress, is_guess)
            if end == GIVEN_UP:
                return None
            reader.flush_rejects()
            progress.report(block.stop - block.start, reader.rows_read)
        self._pair_count = reader.pair_count
        return reading_of(reader.state, start, end, self._rejects.path, rejects_at)

    def result(self, readings: tuple[Reading, ...]) -> BatchReading:
        """What the batch came to, its readings being these."""
        job, arena = self._job, self._memory.arena
        count = self._pair_count
        if len(self._pairs) and not job.sizes.shares_cells:
            for _ in sum_up(job, self._pairs, count, arena):
                self._rows.write(arena)
            give_pairs_back(job, self._pairs)
            self._pairs, count = NO_PAIRS, 0
        self._rows.write(arena)
        rows = self._rows.result()
        return BatchReading(readings, None if rows.is_empty else rows, self._pairs, count)

    def give_up(self) -> BatchReading:
        """Nothing of what was read so far counts."""
        discard(self._job, BatchReading((), self._rows.result(), self._pairs))
        return BatchReading()


def read_batch(job: Job, number: int, true_start: int | None = None) -> BatchReading:
    """Read batch `number`: from `true_start`, where its first record is known to start, or on the
    guess that its first line starts one.
    """
    readings = []
    with job.workspace.reading.borrow() as memory:
        reader = BatchReader(job, memory)
        start = true_start
        for block_number in job.batches[number]:
            block = job.blocks[block_number]
            if block.start == job.sources[block.source].layout.data_start:
                start = block.start
            reading = reader.read(block_number, start or 0, is_guess=start is None)
            if reading is None:
                return reader.give_up()
            readings.append(reading)
            start = reading.end
        return reader.result(tuple(readings))


def discard(job: Job, reading: BatchReading) -> None:
    """Give back what the batch has in memory and on disk."""
    if reading.rows is not None:
        reading.rows.discard(job.workspace)
    give_pairs_back(job, reading.pairs)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The descriptor of a file that is read."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def reading_of(state: ParseState, start: int, end: int, rejects: Path, rejects_at: int) -> Reading:
    """The outcome that the kernel's state stands for."""
    listed = int(state.rejects_listed)
    return Reading(
        start=start,
        end=end,
        lines=int(state.lines),
        rows_counted=int(state.rows_counted),
        plays=number_of(state.plays_low, state.plays_high),
        reasons=tuple(state.reasons.tolist()),
        listed=listed,
        rejects=rejects if listed else None,
        rejects_at=rejects_at,
    )


def first_line(descriptor: int, block: Block, source: Source) -> int:
    """Where the first line of the block starts; -1 where none does."""
    at = block.start - 1
    while at < block.stop - 1:
        data = os.pread(descriptor, min(2**16, block.stop - 1 - at), at)
        line_feed = data.find(b"\n")
        if line_feed >= 0:
            return at + line_feed + 1
        if not data:
            return -1
        at += len(data)
    return -1
