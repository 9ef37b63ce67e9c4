"""The kernels that divide the rows of a partition into smaller ones."""

from typing import Any

import numpy as np

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


# What `sample_rows` keeps: how many bytes it passes over before the next row that it takes, which
# step that is, and how many rows it has found; then [song's first byte, its length] of each.
N_LEFT, N_STEP, N_FOUND, N_SONGS = range(4)


@kernel("i8(u1[::1], i8[::1], i8[::1], i8[::1])")
def sample_rows(buffer: Any, state: Any, steps: Any, sampled: Any) -> Any:
    """Find the rows of `buffer[position:end]` that lie `steps` bytes apart; 1 where `sampled` is
    full, else 0.
    """
    position = state[I_POSITION]
    end = state[I_END]
    left = sampled[N_LEFT]
    step = sampled[N_STEP]
    found = np.int64(0)
    most = (len(sampled) - N_SONGS) // 2
    while position < end and found < most:
        song, count, stop = row_extent(buffer, position, end)
        if stop < 0:
            break
        left -= stop - position
        if left < 0:
            sampled[N_SONGS + 2 * found] = song
            sampled[N_SONGS + 2 * found + 1] = count
            found += 1
            step = (step + 1) % len(steps)
            left = steps[step]
        position = stop
    state[I_POSITION] = position
    sampled[N_LEFT] = left
    sampled[N_STEP] = step
    sampled[N_FOUND] = found
    return np.int64(found == most)
