"""Reading one block: its bytes through the parsing kernel, its rows and rejects to files."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bmat.aggregation.beacon import Beacon
from bmat.aggregation.block_reader import BlockReader
from bmat.aggregation.hot_cells import (
    NO_PAIRS,
    give_pairs_back,
    shared_cells,
    sum_up,
    take_pairs,
)
from bmat.aggregation.job import Block, Ints, Job, Source, Words
from bmat.aggregation.kernel_cells import add_pairs
from bmat.aggregation.kernel_state import (
    P_LINES,
    P_PLAYS_HIGH,
    P_PLAYS_LOW,
    P_REASONS,
    P_REJECTS_LISTED,
    P_ROWS_COUNTED,
    PARSE_FIELDS,
)
from bmat.aggregation.memory import READING, ReadingMemory
from bmat.aggregation.scratch import ScratchFile
from bmat.aggregation.spill import Spilled, SpillWriter


@dataclass(frozen=True)
class Reading:
    """What a block came to. It reaches from byte `start` to byte `end`, where the next record
    starts; both are -1 where the block was found to start no record.

    `reasons` are the rejects by reason, in the order of REASONS; `listed` of them are described
    in the file `rejects`, lines counted from the block's start. `pairs` are those of hot songs
    where they wait for the cells that the run's tasks share.
    """

    start: int
    end: int
    lines: int = 0
    rows_counted: int = 0
    plays: int = 0
    reasons: tuple[int, ...] = (0,) * (PARSE_FIELDS - P_REASONS)
    listed: int = 0
    rejects: Path | None = None
    rows: Spilled | None = None
    pairs: Words = field(default_factory=lambda: NO_PAIRS)
    pair_count: int = 0


def read_block(job: Job, number: int, true_start: int | None = None) -> Reading:
    """Read block `number`: from `true_start`, where its first record is known to start, or on the
    guess that its first line starts one.
    """
    block = job.blocks[number]
    source = job.sources[block.source]
    descriptor = os.open(source.path, os.O_RDONLY)
    try:
        start = first_line(descriptor, block, source) if true_start is None else true_start
        if not 0 <= start < block.stop:
            with Beacon(job.folder, number) as beacon:
                beacon.report(block.stop - block.start, 0)
            return Reading(start=start, end=start)
        return read_records(job, number, descriptor, start)
    finally:
        os.close(descriptor)


def first_line(descriptor: int, block: Block, source: Source) -> int:
    """Where the first line of the block starts; -1 where none does."""
    if block.start == source.layout.data_start:
        return block.start
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


def read_records(job: Job, number: int, descriptor: int, start: int) -> Reading:
    """Read the records of a block from byte `start` on."""
    block = job.blocks[number]
    source = job.sources[block.source]
    rows = SpillWriter(job.folder, job.splitters.partitions)
    rejects = ScratchFile(job.folder, "rejects")
    with (
        READING.borrow(job.sizes, lambda: ReadingMemory(job.sizes)) as memory,
        Beacon(job.folder, number) as beacon,
    ):
        reader = BlockReader(
            memory,
            source,
            job.splitters,
            job.hot,
            take_pairs(job),
            lambda: rows.write(memory.arena),
            lambda count: rejects.append([memory.rejects.data[:count]]),
            job.listed_rejects,
            job.hash_key,
        )
        end = reader.read(descriptor, start, block.stop, beacon)
        if len(reader.pairs) and not job.sizes.shares_cells:
            for _ in sum_up(job, reader.pairs, reader.pair_count, memory.arena):
                reader.make_room()
        reader.flush_rows()
        reader.flush_rejects()
        beacon.report(block.stop - block.start, reader.rows_read)
        spilled = rows.result()
        reading = reading_of(
            reader.state, start, end, rejects.path, None if spilled.is_empty else spilled
        )
        if job.sizes.shares_cells:
            return replace(reading, pairs=reader.pairs, pair_count=reader.pair_count)
        give_pairs_back(job, reader.pairs)
        return reading


def reading_of(state: Ints, start: int, end: int, rejects: Path, rows: Spilled | None) -> Reading:
    """The outcome that the kernel's state stands for."""
    low = int(state[P_PLAYS_LOW : P_PLAYS_LOW + 1].view(np.uint64)[0])
    listed = int(state[P_REJECTS_LISTED])
    return Reading(
        start=start,
        end=end,
        lines=int(state[P_LINES]),
        rows_counted=int(state[P_ROWS_COUNTED]),
        plays=low + (int(state[P_PLAYS_HIGH]) << 64),
        reasons=tuple(int(count) for count in state[P_REASONS:]),
        listed=listed,
        rejects=rejects if listed else None,
        rows=rows,
    )


def settle_block(job: Job, number: int, before: Reading | None, guess: Reading) -> Reading:
    """`guess` where it was right, else the block read again from where its first record really
    starts: where the block before it ended.
    """
    block = job.blocks[number]
    true_start = job.sources[block.source].layout.data_start
    if before is not None and job.blocks[number - 1].source == block.source:
        true_start = before.end
    reading = guess
    if guess.start != true_start:
        if guess.rows is not None:
            guess.rows.discard()
        give_pairs_back(job, guess.pairs)
        reading = read_block(job, number, true_start)
    return with_pairs_added(job, reading)


def with_pairs_added(job: Job, reading: Reading) -> Reading:
    """The reading once its pairs are in the shared cells. Blocks are settled one after another, so
    that no two add at the same time.
    """
    if not len(reading.pairs):
        return reading
    add_pairs(shared_cells(job.folder), reading.pairs, reading.pair_count)
    give_pairs_back(job, reading.pairs)
    return replace(reading, pairs=NO_PAIRS, pair_count=0)
