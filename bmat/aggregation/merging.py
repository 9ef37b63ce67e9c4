"""Merging one partition: its rows into totals, sorted; in smaller ones where it is too large."""

import numpy as np

from bmat.aggregation.job import Job, Sizes, Splitters
from bmat.aggregation.kernel_divide import divide_rows
from bmat.aggregation.kernel_ingest import I_END, I_POSITION
from bmat.aggregation.memory import MERGING, Arena, MergingMemory
from bmat.aggregation.padded import PaddedBytes, padded_bytes
from bmat.aggregation.part import Part, PartWriter
from bmat.aggregation.partition import choose_splitters
from bmat.aggregation.pool import Pool
from bmat.aggregation.spill import Spilled, SpillWriter
from bmat.aggregation.splitting import make_splitters
from bmat.aggregation.table import Table
from bmat.aggregation.waiting import Waiting, rows_of

SUB_PARTITIONS = 16
LEAST_TEXT_BYTES = 4096
TEXTS: Pool[PaddedBytes] = Pool()


def take_all(table: Table, waiting: Waiting, job: Job) -> bool:
    """Take all rows of a partition into the table; False where it has no room for them."""
    stretches = rows_of(waiting, job, table.memory)
    try:
        stretch = next(stretches)
        while True:
            taken, has_room = table.take(*stretch)
            if not has_room:
                stretches.close()
                return False
            stretch = stretches.send(taken)
    except StopIteration:
        return True


def merge_part(job: Job, spilled: list[Spilled], partition: int) -> Part:
    """Merge a partition. The part's text is lent: `writing` gives it back."""
    sizes = job.sizes
    with MERGING.borrow(sizes, lambda: MergingMemory(sizes)) as memory:
        text = TEXTS.take(sizes, lambda: padded_bytes(first_text_bytes(sizes)))
        writer = PartWriter(job, memory, text)
        span = job.hot.cells_of(partition) if job.sizes.shares_cells else (0, 0)
        merge_into(writer, job, Waiting(spilled, partition, span), memory)
        return writer.finish()


def first_text_bytes(sizes: Sizes) -> int:
    most = min(2 * sizes.part_bytes, 4 * sizes.merge_text_bytes, sizes.written_text_bytes)
    return max(most, LEAST_TEXT_BYTES)


def merge_into(writer: PartWriter, job: Job, waiting: Waiting, memory: MergingMemory) -> None:
    """Merge a partition, in smaller ones where it is too large for the memory."""
    table = Table(memory, job.hash_key)
    if take_all(table, waiting, job):
        if table.song_count and writer.overflow is None:
            writer.write(table)
        return
    divided = divide(job, waiting, memory, splitters_of(table))
    for part in range(divided.runs.shape[1] - 1):
        merge_into(writer, job, Waiting([divided], part), memory)
    divided.discard()


def splitters_of(table: Table) -> Splitters:
    """Splitters that part the songs of a table: at least one of them from the others."""
    table.sort()
    order = table.memory.order[: table.song_count].copy()
    weights = table.counts()[order].astype(np.float64) + 1.0
    part_weight = int(weights.sum() / SUB_PARTITIONS) + 1

    def song(number: int) -> bytes:
        return table.song(int(order[number]))

    splitters = choose_splitters(song, weights, part_weight, most_bytes=None)
    return splitters if len(splitters.keys) else make_splitters([song(len(order) // 2)])


def divide(job: Job, waiting: Waiting, memory: MergingMemory, splitters: Splitters) -> Spilled:
    """Spread the rows of a partition over smaller ones, in a new file."""
    arena = Arena(job.sizes.arena_bytes, job.sizes.chunk_bytes)
    arena.prepare(splitters.partitions)
    stretches = rows_of(waiting, job, memory)
    stretch = next(stretches)
    rows = SpillWriter(job.folder, splitters.partitions)
    try:
        while True:
            row_bytes, extents = stretch
            taken = 0
            for extent in extents.tolist():
                taken = divide_stretch(memory, row_bytes, extent, splitters, arena, rows)
            stretch = stretches.send(taken)
    except StopIteration:
        rows.write(arena)
    return rows.result()


def divide_stretch(
    memory: MergingMemory,
    row_bytes: PaddedBytes,
    extent: list[int],
    splitters: Splitters,
    arena: Arena,
    rows: SpillWriter,
) -> int:
    """Pass on the whole rows of an extent of the bytes; returns where the next one starts."""
    state = memory.state
    state[I_POSITION], state[I_END] = extent
    while divide_rows(
        row_bytes,
        state,
        splitters.keys,
        splitters.starts,
        splitters.texts,
        splitters.skip,
        arena.bytes,
        arena.state,
        arena.heads,
        arena.chunks,
    ):
        if arena.is_empty:
            arena.grow(splitters.partitions)
        else:
            rows.write(arena)
    return int(state[I_POSITION])
