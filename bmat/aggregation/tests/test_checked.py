"""Kernels as plain Python: what a compiled one would do without a word is an error there."""

from collections.abc import Callable
from typing import Annotated, Any, cast

import numpy as np
import pytest

from bmat.aggregation.kernels.arrays import ArenaState, Bytes, Int64, Ints, Record, UInt64
from bmat.aggregation.kernels.checked import CheckedArray, OutOfBounds, kernel
from bmat.aggregation.kernels.plain import load8, load64, store8, store64

Access = Callable[[CheckedArray, int], object]
ELEMENTS: list[Access] = [
    lambda array, at: array[at],
    lambda array, at: array.__setitem__(at, 1),
    load8,
    lambda array, at: store8(array, at, 1),
]
WORDS: list[Access] = [
    load64,
    lambda array, at: store64(array, at, np.uint64(1)),
    lambda array, at: array[at : at + 8],
]


@pytest.mark.parametrize("access", ELEMENTS)
def test_an_element_beside_the_array_is_refused(access: Access) -> None:
    array = CheckedArray(np.zeros(10, dtype=np.uint8))
    access(array, 0)
    access(array, 9)
    for outside in (-1, 10):
        with pytest.raises(OutOfBounds, match=f"A kernel uses element {outside} of an array of 10"):
            access(array, outside)


@pytest.mark.parametrize("access", WORDS)
def test_a_word_that_is_not_all_in_the_array_is_refused(access: Access) -> None:
    array = CheckedArray(np.zeros(10, dtype=np.uint8))
    access(array, 0)
    access(array, 2)
    for outside in (-1, 3):
        with pytest.raises(OutOfBounds, match=f"uses 8 from {outside} on of an array of 10"):
            access(array, outside)


@pytest.mark.parametrize("index", [(0, 2), (3, 0), (-1, 0)])
def test_an_element_beside_a_table_is_refused(index: tuple[int, int]) -> None:
    with pytest.raises(OutOfBounds, match="of \\(3, 2\\)"):
        CheckedArray(np.zeros((3, 2), dtype=np.int64))[index]


@kernel
def size(array: Bytes) -> int:
    return len(array)


@kernel
def thrice(number: UInt64) -> UInt64:
    return number * np.uint64(3)


@kernel
def after(number: Int64) -> Int64:
    return number + 1


@kernel
def nothing() -> None:
    pass


@pytest.mark.parametrize(
    "given",
    [
        np.zeros(4, dtype=np.int64),
        np.zeros((2, 2), dtype=np.uint8),
        np.zeros(8, dtype=np.uint8)[::2],
        np.frombuffer(b"read", dtype=np.uint8),
    ],
)
def test_it_takes_no_argument_that_the_compiled_kernel_would_not(given: Any) -> None:
    assert size(np.zeros(4, dtype=np.uint8)) == 4
    with pytest.raises(TypeError, match="A kernel takes array.uint8"):
        size(given)


def test_integers_wrap_around_as_those_of_the_machine_do() -> None:
    assert thrice(2**63 + 1) == (3 * (2**63 + 1)) % 2**64
    assert after(2**63 - 1) == -(2**63)
    assert nothing() is None


class Counts(Record):
    """A number, and three more."""

    total: Int64
    each: Annotated[Ints, 3]


@kernel
def add(counts: Counts, index: int) -> int:
    counts.total += 1
    counts.each[index] += 1
    return int(counts.each[index])


def test_a_kernel_moves_on_the_numbers_of_a_record_and_no_others() -> None:
    counts = Counts.new()
    assert [add(counts, 2), add(counts, 2)] == [1, 2]
    assert (counts.total, counts.each.tolist()) == (2, [0, 0, 2])
    with pytest.raises(OutOfBounds, match="uses element 3 of an array of 3"):
        add(counts, 3)
    with pytest.raises(TypeError, match="A kernel takes .*total"):
        add(cast(Counts, ArenaState.new()), 0)


class Sized(Record):
    """A name that NumPy's records have."""

    size: Int64


def test_a_record_names_nothing_that_numpy_would_give_something_else_for() -> None:
    with pytest.raises(TypeError, match=r"Sized names \['size'\]"):
        Sized.new()
