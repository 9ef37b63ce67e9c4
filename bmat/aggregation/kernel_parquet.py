"""The kernels that encode totals as columns of Parquet.

Numbers are packed as differences (DELTA_BINARY_PACKED), songs as how much of the one before they
begin with, and the rest (DELTA_BYTE_ARRAY): sorted as they are, that makes them small, and no other
compression is needed. https://parquet.apache.org/docs/file-format/data-pages/encodings/
"""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import inlined, kernel
from bmat.aggregation.kernel_bytes import copy_bytes, low_bytes
from bmat.aggregation.kernel_words import (
    leading_zeros,
    load64,
    store8,
    store64,
    trailing_zeros,
)
from bmat.aggregation.padded import PaddedBytes

BLOCK_VALUES, MINIBLOCKS = 128, 4
MINIBLOCK_VALUES = BLOCK_VALUES // MINIBLOCKS
# What a block of packed numbers takes at most: its least difference, widths, and all 64 bits each.
PACKED_BLOCK_BYTES = 10 + MINIBLOCKS + 8 * BLOCK_VALUES
PACKED_HEAD_BYTES = 32


@inlined
def write_varint(out: Any, at: Any, number: Any) -> Any:
    """Write an unsigned number, seven bits a byte, the lowest first. Returns where it ends."""
    while number > np.uint64(127):
        store8(out, at, np.int64(number & np.uint64(127)) | 128)
        number >>= np.uint64(7)
        at += 1
    store8(out, at, np.int64(number))
    return at + 1


@inlined
def write_signed(out: Any, at: Any, number: Any) -> Any:
    """Write a number as a varint in which those near zero are short, whatever their sign."""
    return write_varint(out, at, np.uint64((number << 1) ^ (number >> 63)))


@inlined
def take_differences(values: Any, start: Any, stop: Any, differences: Any) -> Any:
    """Set by how much each of `values[start:stop]`, a block at most, exceeds the one before, less
    the least of these differences, which is returned. The rest of the block is 0.
    """
    count = stop - start
    least = values[np.uint64(start)] - values[np.uint64(start - 1)]
    for number in range(count):
        row = np.uint64(start + number)
        difference = values[row] - values[row - np.uint64(1)]
        differences[np.uint64(number)] = difference
        least = min(least, difference)
    for number in range(count):
        differences[np.uint64(number)] -= least
    for number in range(count, BLOCK_VALUES):
        differences[np.uint64(number)] = 0
    return least


@inlined
def width_of(values: Any, first: Any) -> Any:
    """How many bits the widest value of a miniblock needs."""
    ones = np.uint64(0)
    for number in range(first, first + MINIBLOCK_VALUES):
        ones |= np.uint64(values[np.uint64(number)])
    return 64 - leading_zeros(ones)


@inlined
def pack_miniblock(out: Any, at: Any, values: Any, first: Any, width: Any) -> None:
    """Write the values of a miniblock in `width` bits each, the lowest first.

    Narrow ones go by fours: each has to wait for where the one before has ended.
    """
    step = 1
    if width <= 16:
        step = 4
    bits = np.uint64(width)
    word = np.uint64(0)
    filled = 0
    for number in range(first, first + MINIBLOCK_VALUES, step):
        value = np.uint64(values[np.uint64(number)])
        if step == 4:
            value |= np.uint64(values[np.uint64(number + 1)]) << bits
            value |= np.uint64(values[np.uint64(number + 2)]) << (np.uint64(2) * bits)
            value |= np.uint64(values[np.uint64(number + 3)]) << (np.uint64(3) * bits)
        word |= value << np.uint64(filled)
        filled += step * width
        if filled >= 64:
            store64(out, at, word)
            at += 8
            filled -= 64
            # A shift by all 64 bits would be none at all.
            word = value >> np.uint64(step * width - filled) if filled > 0 else np.uint64(0)
    if filled > 0:
        store64(out, at, word)


@inlined
def pack(out: Any, at: Any, values: Any, start: Any, stop: Any, shift: Any, scratch: Any) -> Any:
    """Write `values[start:stop]`, each plus `shift`, as DELTA_BINARY_PACKED. Returns its end."""
    at = write_varint(out, at, np.uint64(BLOCK_VALUES))
    at = write_varint(out, at, np.uint64(MINIBLOCKS))
    at = write_varint(out, at, np.uint64(stop - start))
    at = write_signed(out, at, values[np.uint64(start)] + shift)
    block = start + 1
    while block < stop:
        end = min(block + BLOCK_VALUES, stop)
        least = take_differences(values, block, end, scratch)
        at = write_signed(out, at, least)
        widths = at
        at += MINIBLOCKS
        for number in range(MINIBLOCKS):
            width = width_of(scratch, number * MINIBLOCK_VALUES)
            store8(out, widths + number, width)
            if width > 0:
                pack_miniblock(out, at, scratch, number * MINIBLOCK_VALUES, width)
                at += width * (MINIBLOCK_VALUES // 8)
        block = end
    return at


@inlined
def shared_bytes(texts: Any, a: Any, b: Any, most: Any) -> Any:
    """How many bytes, of `most`, two texts begin with in common."""
    at = 0
    while at < most:
        difference = load64(texts, a + at) ^ load64(texts, b + at)
        difference &= low_bytes(most - at)
        if difference != np.uint64(0):
            return at + (trailing_zeros(difference) >> 3)
        at += 8
    return most


@kernel("i8(i8[::1], i8, i8, i8, i8[::1], i8[::1], u1[::1], i8[::1], i8[::1])")
def measure_songs(
    ranks: Any,
    start: int,
    stop: int,
    most_bytes: int,
    order: Any,
    starts: Any,
    texts: PaddedBytes,
    prefixes: Any,
    suffixes: Any,
) -> int:
    """Set, for the songs of the rows `ranks[start:stop]`, how many bytes of the one before each
    begins with, and how many follow. Returns `stop`, or the row whose song, each row counted with
    its own, would be the first past `most_bytes`; at least one row is done.
    """
    before = np.int64(0)
    count = np.int64(0)
    text_bytes = np.int64(0)
    for row in range(start, stop):
        rank = ranks[np.uint64(row)]
        if row > start and rank == ranks[np.uint64(row - 1)]:
            shared = count
        else:
            song = np.uint64(order[np.uint64(rank)])
            text = starts[song]
            count_before = count
            count = starts[song + np.uint64(1)] - text
            shared = np.int64(0)
            if row > start:
                shared = shared_bytes(texts, before, text, min(count_before, count))
            before = text
        text_bytes += count
        if text_bytes > most_bytes and row > start:
            return row
        prefixes[np.uint64(row)] = shared
        suffixes[np.uint64(row)] = count - shared
    return stop


@kernel("i8(i8[::1], i8, i8, i8[::1], i8[::1], u1[::1], i8[::1], i8[::1], u1[::1], i8[::1])")
def encode_songs(
    ranks: Any,
    start: int,
    stop: int,
    order: Any,
    starts: Any,
    texts: PaddedBytes,
    prefixes: Any,
    suffixes: Any,
    out: PaddedBytes,
    scratch: Any,
) -> int:
    """Write the songs of rows that were measured as DELTA_BYTE_ARRAY; returns its size in bytes."""
    at: int = pack(out, 0, prefixes, start, stop, 0, scratch)
    at = pack(out, at, suffixes, start, stop, 0, scratch)
    for row in range(start, stop):
        count = suffixes[np.uint64(row)]
        if count > 0:
            song = np.uint64(order[np.uint64(ranks[np.uint64(row)])])
            copy_bytes(out, at, texts, starts[song] + prefixes[np.uint64(row)], count)
            at += count
    return at


@kernel("i8(i8[::1], i8, i8, i8, u1[::1], i8[::1])")
def encode_numbers(
    values: Any, start: int, stop: int, shift: int, out: PaddedBytes, scratch: Any
) -> int:
    """Write `values[start:stop]`, each plus `shift`, as DELTA_BINARY_PACKED; returns its size."""
    size: int = pack(out, 0, values, start, stop, shift, scratch)
    return size
