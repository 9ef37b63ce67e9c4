"""Kernels as plain Python that checks each access to memory.

Compiled kernels check nothing: what they read or write beside an array is somebody else's. Here
they get their arrays as CheckedArray, which refuses an index outside, a negative one too; they get
exactly the arguments that the compiled ones take. Slow: for tests, and for so little input that a
compiler would take longer to load. Integers wrap around as the machine's do.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from bmat.aggregation.kernels.arrays import ARRAYS, NUMBERS, Record, dtype_of, fields_of

F = TypeVar("F", bound=Callable[..., Any])

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


def kernel(function: F) -> F:
    """A function that takes what the compiled one would, and checks what it does to it. Raises
    TypeError for arguments that the compiled one would refuse, OutOfBounds.
    """
    hints = fields_of(function)
    returned = hints.pop("return")
    given = [giver_of(hint) for hint in hints.values()]

    @wraps(function)
    def run(*arguments: Any) -> Any:
        pairs = zip(given, arguments, strict=True)
        with np.errstate(over="ignore"):
            result = function(*(give(argument) for give, argument in pairs))
        return None if returned is type(None) else int(NUMBERS[returned](result))

    return cast(F, run)


def giver_of(hint: Any) -> Callable[[Any], Any]:
    """What makes of an argument that a kernel annotates like this what the kernel gets."""
    if hint in NUMBERS:
        return cast(Callable[[Any], Any], NUMBERS[hint])
    if hint in ARRAYS:
        return partial(checked_array, *ARRAYS[hint])
    if issubclass(hint, Record):
        return partial(checked_record, dtype_of(hint))
    fields = [giver_of(field) for field in fields_of(hint).values()]
    return lambda values: hint(*(give(one) for give, one in zip(fields, values, strict=True)))


def checked_array(dtype: Any, dimensions: int, array: Array) -> CheckedArray:
    """An array as a kernel gets it. Raises TypeError where the compiled one would not take it."""
    flags = array.flags
    if (array.dtype, array.ndim) != (np.dtype(dtype), dimensions) or not (
        flags.c_contiguous and flags.aligned and flags.writeable
    ):
        wanted = f"array({np.dtype(dtype)}, {dimensions}d)"
        found = f"array({array.dtype}, {array.ndim}d), writeable: {flags.writeable}"
        raise TypeError(f"A kernel takes {wanted}, and was given {found}")
    return CheckedArray(array)


def checked_record(dtype: np.dtype[np.void], record: Any) -> CheckedRecord:
    """A record as a kernel gets it. Raises TypeError where the compiled one would not take it."""
    if record.dtype != dtype:
        raise TypeError(f"A kernel takes {dtype}, and was given {record.dtype}")
    return CheckedRecord(record)
