"""Kernels as plain Python that checks each access to memory: with NUMBA_DISABLE_JIT=1.

Compiled kernels check nothing: what they read or write beside an array is somebody else's. Here
they get their arrays as CheckedArray, which refuses an index outside, a negative one too; they get
exactly the arguments that the compiled ones take. Slow: for tests, and for looking into a file that
ends a process. Integers wrap around as the machine's do.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import sigutils
from numba.np.numpy_support import as_dtype

WORD_BYTES = 8
WORD_MASK = 2**64 - 1

Array = npt.NDArray[Any]


class OutOfBounds(IndexError):
    """A kernel has touched memory that is none of its array's."""


class CheckedArray:
    """An array as a kernel sees it: elements, one at a time, and slices."""

    __slots__ = ("array", "bytes", "length")

    def __init__(self, array: Array) -> None:
        self.array = array
        self.bytes = array.data
        self.length = len(array)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start = 0 if index.start is None else index.start
            stop = self.length if index.stop is None else index.stop
            self.require(start, stop - start)
            return CheckedArray(self.array[start:stop])
        self.require_element(index)
        return self.array[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.require_element(index)
        self.array[index] = value

    def require_element(self, index: Any) -> None:
        """Raises OutOfBounds unless there is an element at this index, or pair of them."""
        if isinstance(index, tuple):
            if not all(0 <= at < size for at, size in zip(index, self.array.shape, strict=True)):
                raise OutOfBounds(f"A kernel uses element {index} of {self.array.shape}")
        elif not 0 <= index < self.length:
            raise OutOfBounds(f"A kernel uses element {index} of an array of {self.length}")

    def require(self, index: Any, count: int) -> None:
        """Raises OutOfBounds unless there are `count` elements from this index on."""
        if not 0 <= index <= self.length - count:
            raise OutOfBounds(f"A kernel uses {count} from {index} on of an array of {self.length}")


def load64(array: CheckedArray, index: Any) -> Any:
    """The eight bytes of a uint8 array from `index` on, as a little-endian uint64."""
    array.require(index, WORD_BYTES)
    return np.uint64(int.from_bytes(array.bytes[index : index + WORD_BYTES], "little"))


def store64(array: CheckedArray, index: Any, value: Any) -> None:
    """Write a uint64 to the eight bytes of a uint8 array from `index` on, little-endian."""
    array.require(index, WORD_BYTES)
    array.bytes[index : index + WORD_BYTES] = int(value).to_bytes(WORD_BYTES, "little")


def load8(array: CheckedArray, index: Any) -> Any:
    """One byte of a uint8 array, as an int64."""
    array.require_element(index)
    return np.int64(array.bytes[index])


def store8(array: CheckedArray, index: Any, value: Any) -> None:
    """Write the low byte of an int64 into a uint8 array."""
    array.require_element(index)
    array.bytes[index] = int(value) & 0xFF


def prefetch(array: CheckedArray, index: Any) -> None:
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


class CheckedRecord:
    """A record as a kernel sees it: numbers by name, and lists of them."""

    __slots__ = ("record",)

    def __init__(self, record: Any) -> None:
        object.__setattr__(self, "record", record)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.record, name)
        return CheckedArray(value) if isinstance(value, np.ndarray) else value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.record, name, value)


def checked(signature: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of this signature, run as it stands. Raises TypeError for arguments that the
    compiled one would refuse, OutOfBounds.
    """
    parameters, returned = cast(Any, sigutils).normalize_signature(signature)

    @wraps(function)
    def run(*arguments: Any) -> Any:
        pairs = zip(parameters, arguments, strict=True)
        with np.errstate(over="ignore"):
            result = function(*(as_given(parameter, argument) for parameter, argument in pairs))
        return None if returned == types.void else int(as_given(returned, result))

    return run


def as_given(parameter: Any, argument: Any) -> Any:
    """An argument as a kernel with this parameter gets it."""
    if isinstance(parameter, types.BaseTuple):
        fields = zip(cast(Any, parameter).types, argument, strict=True)
        return type(argument)(*(as_given(field, one) for field, one in fields))
    if isinstance(parameter, types.Record):
        if argument.dtype != as_dtype(parameter):
            raise TypeError(f"A kernel takes {parameter}, and was given {argument.dtype}")
        return CheckedRecord(argument)
    if not isinstance(parameter, types.Array):
        return as_dtype(parameter).type(argument)
    flags = argument.flags
    if (argument.dtype, argument.ndim) != (as_dtype(parameter.dtype), parameter.ndim) or not (
        flags.c_contiguous and flags.aligned and flags.writeable
    ):
        found = f"array({argument.dtype}, {argument.ndim}d), writeable: {flags.writeable}"
        raise TypeError(f"A kernel takes {parameter}, and was given {found}")
    return CheckedArray(argument)
