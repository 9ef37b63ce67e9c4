"""How large blocks, parts and tables are: arithmetic on the limits, and nothing else."""

from bmat.aggregation.exchange.splitters import MOST_PARTITIONS
from bmat.aggregation.options import Limits
from bmat.aggregation.workspace import BufferSizes, Sizes

KIB = 1024
MIB = 1024 * KIB

# Ordering a graph takes memory and time by the square of the tasks that wait for the one before.
MOST_BATCHES = 1000
# Of a partition's rows: small ones stay in the processor's caches, and their texts take few pages.
MOST_PART_BYTES = 3 * MIB
# What the tasks at work need, at most, beside the rows that wait.
MOST_TASK_BYTES = 192 * MIB
# In the lists of values; in those of songs, and in the hash table.
BYTES_PER_MERGED_ROW = 20
BYTES_PER_MERGED_SONG = 136
# Sorting more of them would take too long to be cancelled within a second.
MOST_MERGED_ROWS = 2**21
LEAST_MERGED_ROWS = 1024
LEAST_ROW_BYTES = 14
# Their numbers have 32 bits in packed pairs.
MOST_CELLS = 2**32
# Of a text that is read forward alone few blocks are held, and these are small: so what one thread
# has put there another one finds in the processor's caches.
MOST_STREAM_BLOCK_BYTES = 4 * MIB
STREAM_SHARE = 32
# Each part that is merged and not yet written holds a text: two for a thread, and never so few
# that one waits for the message that another one is written.
LEAST_PARTS_AHEAD = 4


def between(lowest: int, value: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def task_threads(limits: Limits) -> int:
    """How many tasks are at work at a time. While one of them waits for the disk to take its bytes
    another one works; a run that may use one thread keeps no more than one processor busy.
    """
    return limits.threads + 1 if limits.threads > 1 else 1


def sizes_of(limits: Limits, data_bytes: int, shares_memory: bool) -> Sizes:
    """The sizes for `data_bytes` of input; `shares_memory`: all tasks run in one process.

    A reading task holds an arena, pairs and a small buffer; a merging one its rows, songs and
    text. Both together, for all threads, stay below the budget, except that no table gets so small
    that its task would not get on. Cells that are shared are part of the memory for rows.
    """
    share = limits.memory_budget_bytes // task_threads(limits)
    block_bytes = limits.block_bytes or between(
        256 * KIB, data_bytes // (limits.threads * 12) + 1, between(256 * KIB, share // 4, 64 * MIB)
    )
    block_bytes = max(block_bytes, data_bytes // MOST_BATCHES + 1)
    part_bytes = between(4 * KIB, share // 24, MOST_PART_BYTES)
    part_bytes = max(part_bytes, min(data_bytes // MOST_PARTITIONS, share // 4))
    # A small input needs no large tables: no row is shorter than this many bytes.
    most_rows = data_bytes // LEAST_ROW_BYTES + 1024
    arena_bytes = between(64 * KIB, min(share // 8, 2 * data_bytes), 64 * MIB)
    return Sizes(
        block_bytes=block_bytes,
        stream_block_bytes=min(
            block_bytes, between(256 * KIB, share // STREAM_SHARE, MOST_STREAM_BLOCK_BYTES)
        ),
        part_bytes=part_bytes,
        cells=min(max(256, row_memory_bytes(limits) // 2 // 8), most_rows, MOST_CELLS),
        batches_ahead=2 * task_threads(limits) if shares_memory else 0,
        parts_ahead=max(LEAST_PARTS_AHEAD, 2 * limits.threads),
        buffers=BufferSizes(
            read_bytes=between(4 * KIB, min(block_bytes, data_bytes), 4 * MIB),
            reject_bytes=between(4 * KIB, data_bytes, 256 * KIB),
            arena_bytes=arena_bytes,
            chunk_bytes=24 * KIB,
            merge_rows=min(
                between(LEAST_MERGED_ROWS, share // 8 // BYTES_PER_MERGED_ROW, MOST_MERGED_ROWS),
                most_rows,
            ),
            merge_songs=min(max(LEAST_MERGED_ROWS, share // 8 // BYTES_PER_MERGED_SONG), most_rows),
            merge_text_bytes=min(max(16 * KIB, share // 8), data_bytes + 16 * KIB),
            written_text_bytes=arena_bytes,
            pairs=min(between(256, share // 16 // 8, 4 * MIB), most_rows),
            run_bytes=min(2 * part_bytes, arena_bytes),
        ),
    )


def row_memory_bytes(limits: Limits) -> int:
    """How many bytes of rows may wait in memory: what the budget leaves beside the tasks' own."""
    budget_bytes = limits.memory_budget_bytes
    return budget_bytes - min(budget_bytes // 2, MOST_TASK_BYTES)
