"""What kernels are made of without the compiler: the names of `machine`, in plain Python.

Arrays are those of `checked`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

WORD_BYTES = 8
WORD_MASK = 2**64 - 1


def inlined(function: F) -> F:
    """A piece of a kernel, as it stands."""
    return function


def load64(array: Any, index: Any) -> Any:
    """The eight bytes of a uint8 array from `index` on, as a little-endian uint64."""
    array.require(index, WORD_BYTES)
    return np.uint64(int.from_bytes(array.bytes[index : index + WORD_BYTES], "little"))


def store64(array: Any, index: Any, value: Any) -> None:
    """Write a uint64 to the eight bytes of a uint8 array from `index` on, little-endian."""
    array.require(index, WORD_BYTES)
    array.bytes[index : index + WORD_BYTES] = int(value).to_bytes(WORD_BYTES, "little")


def load8(array: Any, index: Any) -> Any:
    """One byte of a uint8 array, as an int64."""
    array.require_element(index)
    return np.int64(array.bytes[index])


def store8(array: Any, index: Any, value: Any) -> None:
    """Write the low byte of an int64 into a uint8 array."""
    array.require_element(index)
    array.bytes[index] = int(value) & 0xFF


def prefetch(array: Any, index: Any) -> None:
    """Nothing: a processor minds no address that it is only told of."""


def fold_product(a: Any, b: Any) -> Any:
    """The product of two uint64, its high half folded over its low one by exclusive or."""
    product = int(a) * int(b)
    return np.uint64((product & WORD_MASK) ^ (product >> 64))


def swap64(word: Any) -> Any:
    """The bytes of a uint64 in reverse order, so that comparing compares bytes first to last."""
    return np.uint64(int.from_bytes(int(word).to_bytes(WORD_BYTES, "little"), "big"))


def trailing_zeros(word: Any) -> Any:
    """The number of zero bits below the lowest set bit of a uint64; 64 for zero."""
    number = int(word)
    return np.int64((number & -number).bit_length() - 1 if number else 64)
