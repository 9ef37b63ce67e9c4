"""Merging one partition: its rows into totals, sorted; in smaller ones where it is too large."""

from bmat.aggregation.beacon import Beacon
from bmat.aggregation.dividing import divide
from bmat.aggregation.job import Job, Sizes
from bmat.aggregation.memory import MERGING, MergingMemory
from bmat.aggregation.padded import PaddedBytes, padded_bytes
from bmat.aggregation.part import Part, PartWriter
from bmat.aggregation.pool import Pool
from bmat.aggregation.spill import Spilled
from bmat.aggregation.table import Table
from bmat.aggregation.waiting import Waiting, rows_of

# Room for a line with the longest song, and more.
LEAST_TEXT_BYTES = 2**14
TEXTS: Pool[PaddedBytes] = Pool()


def take_all(table: Table, waiting: Waiting, job: Job, beacon: Beacon) -> bool:
    """Take all rows of a partition into the table; False where it has no room for them."""
    stretches = rows_of(waiting, job, table.memory)
    try:
        stretch = next(stretches)
        while True:
            beacon.check()
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
    with (
        MERGING.borrow(sizes, lambda: MergingMemory(sizes)) as memory,
        Beacon(job.folder, len(job.blocks) + partition) as beacon,
    ):
        text = TEXTS.take(sizes, lambda: padded_bytes(first_text_bytes(sizes)))
        writer = PartWriter(job, memory, text, beacon)
        span = job.hot.cells_of(partition) if job.sizes.shares_cells else (0, 0)
        merge_into(writer, job, Waiting(spilled, partition, span), memory, beacon)
        return writer.finish()


def first_text_bytes(sizes: Sizes) -> int:
    most = min(2 * sizes.part_bytes, 4 * sizes.merge_text_bytes, sizes.written_text_bytes)
    return max(most, LEAST_TEXT_BYTES)


def merge_into(
    writer: PartWriter, job: Job, waiting: Waiting, memory: MergingMemory, beacon: Beacon
) -> None:
    """Merge a partition, in smaller ones where it is too large for the memory."""
    table = Table(memory, job.hash_key)
    if take_all(table, waiting, job, beacon):
        if table.song_count and writer.overflow is None:
            writer.write(table)
        return
    divided = divide(job, waiting, memory, beacon)
    for part in range(divided.partitions):
        merge_into(writer, job, Waiting([divided], part), memory, beacon)
    divided.discard()
