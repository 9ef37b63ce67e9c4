"""A pytest plugin: the memory that kernels work in is full of what other runs may have left there.

`pytest -p bmat.aggregation.tests.garbage`. Nothing may depend on the zeros that new memory holds,
nor on what lies behind the bytes that are meant.
"""

import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bmat.aggregation.run  # noqa: F401 (loads all modules that make arrays)
from bmat.aggregation import workspace
from bmat.aggregation.kernels import arrays
from bmat.aggregation.kernels.arrays import PaddedBytes, Words

# Bytes that end fields and lines, look like text and numbers, or like none.
GARBAGE = b'"\n,\r\x00\xff;1-0 a\xc3'
DRAWN = np.frombuffer(bytes(random.Random(0).choices(GARBAGE, k=4099)), dtype=np.uint8)


def filled(make: Callable[[int], PaddedBytes]) -> Callable[[int], PaddedBytes]:
    """`make`, whose arrays are full of garbage."""

    def run(size: int) -> PaddedBytes:
        made = make(size)
        made[:] = np.resize(DRAWN, len(made))
        return made

    return run


def zero_words(size: int) -> Words:
    """Cells begin as zeros, in any memory."""
    return np.zeros(size, dtype=np.uint64)


def pytest_configure(config: pytest.Config) -> None:
    """Put garbage into the arrays that any module makes."""
    makers: list[tuple[Any, Any]] = [
        (arrays.padded_bytes, filled(arrays.padded_bytes)),
        (workspace.large_padded_bytes, filled(workspace.large_padded_bytes)),
        (workspace.large_words, zero_words),
    ]
    modules = [module for name, module in sys.modules.items() if "bmat.aggregation" in name]
    for module in modules:
        for attribute, value in vars(module).copy().items():
            for make, replacement in makers:
                if value is make:
                    setattr(module, attribute, replacement)
