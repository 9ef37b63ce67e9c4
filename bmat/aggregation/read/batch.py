"""Reading in batches of blocks: each batch on a guess where its first record starts, side by side
with others; then settled in the order of the file, and read again where the guess was wrong; then
all of them added up.
"""

from dataclasses import dataclass, field
from itertools import chain

from bmat.aggregation.exchange.counts import Counts, Reading, Rejects, Totals
from bmat.aggregation.exchange.hot_cells import NO_PAIRS, give_pairs_back, packed_pairs, take_pairs
from bmat.aggregation.exchange.rejects import raise_strictly, strict_violation
from bmat.aggregation.exchange.rows import Spilled, SpillWriter
from bmat.aggregation.exchange.scratch import ScratchFile
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Words
from bmat.aggregation.kernels.judge import LEFT_OUT, REASONS
from bmat.aggregation.kernels.pairs import add_pairs
from bmat.aggregation.read.block import GIVEN_UP, BlockReader
from bmat.aggregation.read.record import last_record
from bmat.aggregation.read.settled import Settled, first_line, preamble, reading_of
from bmat.aggregation.source.text import open_text
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
        with job.progress_of_block(number) as progress, open_text(source) as text:
            if is_guess:
                start = first_line(text, block, source)
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
            end = reader.read(text, start, block.stop, progress, is_guess)
            if end == GIVEN_UP:
                return None
            reader.flush_rejects()
            progress.report(block.stop - block.start, reader.rows_read)
        self._pair_count = reader.pair_count
        return reading_of(reader.state, start, end, self._rejects.path, rejects_at)

    def result(self, readings: tuple[Reading, ...]) -> BatchReading:
        """What the batch came to, its readings being these."""
        job, count = self._job, self._pair_count
        self._rows.write(self._memory.arena)
        if len(self._pairs) and not len(job.workspace.rows.cells):
            self._rows.write_pairs(*packed_pairs(job, self._pairs[:count], self._memory.arena))
            give_pairs_back(job, self._pairs)
            self._pairs, count = NO_PAIRS, 0
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


def settle_batches(
    job: Job, first: int, before: list[Settled] | None, guesses: list[BatchReading]
) -> list[Settled]:
    """Settle the batches from number `first` on, in order; those `before` them are settled."""
    last, settled = before[-1] if before else None, []
    for number, guess in enumerate(guesses, first):
        last = settle_batch(job, number, last, guess)
        settled.append(last)
    return settled


def settle_batch(job: Job, number: int, before: Settled | None, guess: BatchReading) -> Settled:
    """`guess` where it was right, else the batch read again from where its first record really
    starts: where the batch before it ended.

    Raises AggregationError `strict_violation` for the first bad record of the file, in a strict
    run.
    """
    first = job.blocks[job.batches[number][0]]
    true_start = first.start
    if before is not None and first.start != job.sources[first.source].layout.data_start:
        true_start = before.end
    reading = guess
    if not guess.readings or guess.readings[0].start != true_start:
        discard(job, guess)
        reading = read_batch(job, number, true_start)
    if len(reading.pairs):
        # Batches are settled one after another, so that no two add at the same time.
        add_pairs(job.workspace.rows.cells, reading.pairs, reading.pair_count)
        give_pairs_back(job, reading.pairs)
    settled = with_lines(job, number, before, reading)
    if job.strict:
        check_strictly(job, before, settled)
    return settled


def with_lines(job: Job, number: int, before: Settled | None, reading: BatchReading) -> Settled:
    """The batch with the physical lines on which its blocks begin."""
    line = before.line if before else 1
    readings = []
    for block_number, one in zip(job.batches[number], reading.readings, strict=True):
        block = job.blocks[block_number]
        layout = job.sources[block.source].layout
        if block.start == layout.data_start:
            line = layout.first_line
        readings.append(Rejects(block.source, line, one))
        line += one.lines
    return Settled(tuple(readings), reading.rows, block.source, one.end, line)


def check_strictly(job: Job, before: Settled | None, settled: Settled) -> None:
    """Raises AggregationError `strict_violation` where there is a bad record in the batch, or above
    the header of a file that begins in it or before it.
    """
    checked = before.source if before else -1
    for rejects in settled.readings:
        for number in range(checked + 1, rejects.source + 1):
            raise_strictly(job, Rejects(number, 1, preamble(job.sources[number])))
        raise_strictly(job, rejects)
        checked = rejects.source


def add_up(job: Job, settled: list[list[Settled]], streamed: list[Settled] | None = None) -> Totals:
    """Take all batches together, and what was `streamed`.

    Raises AggregationError `strict_violation`.
    """
    of_source = [
        [Rejects(number, 1, preamble(source))] for number, source in enumerate(job.sources)
    ]
    batches = [*chain.from_iterable(settled), *(streamed or [])]
    for batch in batches:
        for one in batch.readings:
            of_source[one.source].append(one)
    rejects = list(chain.from_iterable(of_source))
    reasons = [0] * len(REASONS)
    for listed in rejects:
        reasons = [a + b for a, b in zip(reasons, listed.reading.reasons, strict=True)]
    rejected = [one for one in rejects if one.reading.rejected]
    if job.strict and rejected:
        raise strict_violation(job, rejected[0])
    by_reason = sorted(zip(REASONS, reasons, strict=True))
    return Totals(
        inputs=[Counts.of([one.reading for one in found]) for found in of_source],
        rejects_by_reason={
            reason: count for reason, count in by_reason if count and reason not in LEFT_OUT
        },
        left_out_by_reason={
            reason: count for reason, count in by_reason if count and reason in LEFT_OUT
        },
        spilled=[batch.rows for batch in batches if batch.rows is not None],
        rejects=rejected,
        last_records=[last_record(source) for source in job.sources],
    )
