"""Byte strings inside arrays: compare, copy, hash, find, tell whether they are UTF-8.

All work on words of eight bytes and may read, never use, up to 32 bytes behind a string: so the
arrays are PaddedBytes. Compiled, the words are loaded and stored by single instructions that check
nothing; in plain Python, by functions that check everything.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels import IS_COMPILED

if IS_COMPILED:
    from bmat.aggregation.kernels.machine import (
        fold_product,
        inlined,
        load8,
        load64,
        prefetch,
        store8,
        store64,
        swap64,
        trailing_zeros,
    )
else:
    from bmat.aggregation.kernels.plain import (
        fold_product,
        inlined,
        load8,
        load64,
        prefetch,
        store8,
        store64,
        swap64,
        trailing_zeros,
    )

__all__ = [
    "fold_product",
    "inlined",
    "load8",
    "load64",
    "prefetch",
    "store8",
    "store64",
    "swap64",
    "trailing_zeros",
]

COPY_SLACK = 32
ONES = np.uint64(0x0101010101010101)
HIGHS = np.uint64(0x8080808080808080)
LF, CR, QUOTE = 10, 13, 34
LINE_FEEDS = np.uint64(0x0A0A0A0A0A0A0A0A)
RETURNS = np.uint64(0x0D0D0D0D0D0D0D0D)
QUOTES = np.uint64(0x2222222222222222)


@inlined
def low_bytes(count: Any) -> Any:
    """A mask of the lowest `count` bytes of a word; all of them from eight on. Shifted in two
    steps, which does it without a jump.
    """
    half = np.uint64(4 * min(count, 8))
    return ((np.uint64(1) << half) << half) - np.uint64(1)


@inlined
def copy_bytes(target: Any, to: Any, source: Any, start: Any, count: Any) -> None:
    """Copy; may overwrite up to COPY_SLACK bytes behind the copy. Most songs are short: four words
    at once are cheaper than a loop whose end cannot be foretold.
    """
    store64(target, to, load64(source, start))
    store64(target, to + 8, load64(source, start + 8))
    store64(target, to + 16, load64(source, start + 16))
    store64(target, to + 24, load64(source, start + 24))
    for at in range(32, count, 8):
        store64(target, to + at, load64(source, start + at))


@inlined
def compare_bytes(a: Any, a_start: Any, a_count: Any, b: Any, b_start: Any, b_count: Any) -> Any:
    """-1, 0 or 1: how two byte strings are ordered, by their bytes, the shorter first."""
    shorter = min(a_count, b_count)
    at = 0
    while at < shorter:
        x = load64(a, a_start + at)
        y = load64(b, b_start + at)
        if shorter - at < 8:
            mask = low_bytes(shorter - at)
            x &= mask
            y &= mask
        if x != y:
            return -1 if swap64(x) < swap64(y) else 1
        at += 8
    if a_count == b_count:
        return 0
    return -1 if a_count < b_count else 1


@inlined
def same_bytes(a: Any, a_start: Any, b: Any, b_start: Any, count: Any) -> Any:
    """Whether `count` bytes are the same."""
    at = 0
    while at + 8 <= count:
        if load64(a, a_start + at) != load64(b, b_start + at):
            return False
        at += 8
    if at == count:
        return True
    difference = load64(a, a_start + at) ^ load64(b, b_start + at)
    return (difference & low_bytes(count - at)) == np.uint64(0)


@inlined
def hash_word(hashed: Any, word: Any, key: Any) -> Any:
    """Take one more word into a hash, which starts as the key.

    After wyhash (https://github.com/wangyi-fudan/wyhash). Whoever does not know the key, which is
    drawn for each run, cannot find names that share a hash.
    """
    return fold_product(hashed ^ word, key)


@inlined
def hash_bytes(source: Any, start: Any, count: Any, key: Any) -> Any:
    """The hash of a byte string: of its words, the last one cut (and there even if empty)."""
    hashed = key
    at = 0
    while at + 8 <= count:
        hashed = hash_word(hashed, load64(source, start + at), key)
        at += 8
    return hash_word(hashed, load64(source, start + at) & low_bytes(count - at), key)


@inlined
def sort_key(source: Any, start: Any, count: Any) -> Any:
    """The first eight bytes as a number that compares as they do, zeros behind a short string."""
    return swap64(load64(source, start) & low_bytes(count))


@inlined
def zero_bytes(word: Any) -> Any:
    """A word whose lowest set bit is the high bit of the lowest zero byte of `word`; 0 for none."""
    return (word - ONES) & ~word & HIGHS


@inlined
def find_byte(source: Any, start: Any, stop: Any, repeated: Any) -> Any:
    """Where the byte, given eight times over, first stands in `source[start:stop]`; else `stop`."""
    at = start
    while at < stop:
        hits = zero_bytes(load64(source, at) ^ repeated)
        if hits != np.uint64(0):
            return min(at + (trailing_zeros(hits) >> 3), stop)
        at += 8
    return stop


@inlined
def find_field_end(source: Any, start: Any, stop: Any, delimiters: Any) -> Any:
    """Where the first delimiter or LF stands in `source[start:stop]`; `stop` for none."""
    at = start
    while at < stop:
        word = load64(source, at)
        hits = zero_bytes(word ^ delimiters) | zero_bytes(word ^ LINE_FEEDS)
        if hits != np.uint64(0):
            return min(at + (trailing_zeros(hits) >> 3), stop)
        at += 8
    return stop


@inlined
def find_field_stop(source: Any, start: Any, stop: Any, delimiters: Any) -> Any:
    """Where the first delimiter, LF or CR stands in `source[start:stop]`; `stop` for none."""
    at = start
    while at < stop:
        word = load64(source, at)
        hits = zero_bytes(word ^ delimiters) | zero_bytes(word ^ LINE_FEEDS)
        hits |= zero_bytes(word ^ RETURNS)
        if hits != np.uint64(0):
            return min(at + (trailing_zeros(hits) >> 3), stop)
        at += 8
    return stop


@inlined
def is_plain(source: Any, start: Any, count: Any) -> Any:
    """Whether a byte string is ASCII without NUL."""
    at = 0
    while at < count:
        word = load64(source, start + at)
        mask = low_bytes(count - at) & HIGHS
        if ((zero_bytes(word) | word) & mask) != np.uint64(0):
            return False
        at += 8
    return True


# UTF-8 by a state machine (RFC 3629): an entry for each byte, in which the bits from number `state`
# on are the next state. 0 is between two characters, 6 is an error.
# After Hoehrmann's decoder, in the form of https://gist.github.com/pervognsen/218ea17743e1442e59bb.
CONTINUATION = range(0x80, 0xC0)
UTF8_STATES = {
    0: {
        range(0x80): 0,
        range(0xC2, 0xE0): 12,
        range(0xE0, 0xE1): 18,
        range(0xE1, 0xED): 24,
        range(0xED, 0xEE): 30,
        range(0xEE, 0xF0): 24,
        range(0xF0, 0xF1): 36,
        range(0xF1, 0xF4): 42,
        range(0xF4, 0xF5): 48,
    },
    12: {CONTINUATION: 0},
    18: {range(0xA0, 0xC0): 12},
    24: {CONTINUATION: 12},
    30: {range(0x80, 0xA0): 12},
    36: {range(0x90, 0xC0): 24},
    42: {CONTINUATION: 24},
    48: {range(0x80, 0x90): 24},
}
UTF8_TABLE = np.array(
    [
        sum(
            next((to for among, to in arrows.items() if byte in among), 6) << state
            for state, arrows in (UTF8_STATES | {6: {}}).items()
        )
        for byte in range(256)
    ],
    dtype=np.uint64,
)
STATE_MASK = np.uint64(63)


@inlined
def is_utf8(source: Any, start: Any, stop: Any) -> Any:
    """Whether the bytes are valid UTF-8. What is not of them in the last word is read as NUL, which
    leaves open what is open. All words are read alike: a jump that depends on the script would be
    foretold wrongly every other time.
    """
    state = np.uint64(0)
    for at in range(start, stop, 8):
        word = load64(source, at) & low_bytes(stop - at)
        for _ in range(8):
            state = (UTF8_TABLE[word & np.uint64(0xFF)] >> state) & STATE_MASK
            word >>= np.uint64(8)
    return state == np.uint64(0)
