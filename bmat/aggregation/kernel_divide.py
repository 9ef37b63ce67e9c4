"""The kernel that passes the rows of a partition on into smaller ones."""

from typing import Any

from bmat.aggregation.compiled import kernel
from bmat.aggregation.kernel_bytes import copy_bytes
from bmat.aggregation.kernel_ingest import I_END, I_POSITION, row_extent
from bmat.aggregation.kernel_rows import HEAD_FIELDS, locate, room_for
from bmat.aggregation.padded import PaddedBytes


@kernel("i8(u1[::1], i8[::1], u8[::1], i8[::1], u1[::1], i8, u1[::1], i8[::1], i8[::1], i8[::1])")
def divide_rows(
    buffer: PaddedBytes,
    state: Any,
    split_keys: Any,
    split_starts: Any,
    split_texts: PaddedBytes,
    skip: int,
    arena: PaddedBytes,
    arena_state: Any,
    heads: Any,
    chunks: Any,
) -> Any:
    """Pass the whole rows of `buffer[position:end]` on into partitions; 1 where the arena is
    full, else 0.
    """
    position = state[I_POSITION]
    end = state[I_END]
    outcome = 0
    while position < end:
        song, count, stop = row_extent(buffer, position, end)
        if stop < 0:
            break
        partition = locate(split_keys, split_starts, split_texts, skip, buffer, song, count)
        need = stop - position
        at = room_for(arena_state, heads, chunks, partition, need)
        if at < 0:
            outcome = 1
            break
        copy_bytes(arena, at, buffer, position, need)
        heads[HEAD_FIELDS * partition] = at + need
        position = stop
    state[I_POSITION] = position
    return outcome
