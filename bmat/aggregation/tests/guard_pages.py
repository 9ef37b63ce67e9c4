"""A pytest plugin: kernels get arrays that end where a page without access begins.

`pytest -p bmat.aggregation.tests.guard_pages`. A compiled kernel that touches a byte behind one of
its arrays ends the process with a segmentation fault, which faulthandler reports. Every array of
every call is moved there, whoever made it, and back when the kernel is done.
"""

import ctypes
import sys
import weakref
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from mmap import PAGESIZE, mmap
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numba.core.dispatcher import Dispatcher

import bmat.aggregation.run  # noqa: F401 (loads all modules that call kernels)
from bmat.aggregation import workspace
from bmat.aggregation.kernels import IS_COMPILED

Array = npt.NDArray[Any]

# Of sys/mman.h: https://man7.org/linux/man-pages/man2/mprotect.2.html
PROT_NONE = 0
LIBRARY = ctypes.CDLL(None, use_errno=True)
LIBRARY.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

# Where arrays end that are guarded all the time.
ENDS: set[int] = set()
AREAS: dict[int, list[mmap]] = defaultdict(list)


def address_of(area: mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(area))


def pages_of(size: int) -> int:
    return -(-size // PAGESIZE)


def guarded_area(pages: int) -> mmap:
    """So many pages, and one behind them that nobody may touch."""
    area = mmap(-1, (pages + 1) * PAGESIZE)
    if LIBRARY.mprotect(address_of(area) + pages * PAGESIZE, PAGESIZE, PROT_NONE):
        raise OSError(ctypes.get_errno(), "mprotect")
    return area


def last_of(area: mmap, size: int, dtype: Any) -> Array:
    """An array of `size` elements that ends where the area's last page begins."""
    used = size * np.dtype(dtype).itemsize
    return np.frombuffer(area, dtype=dtype, count=size, offset=len(area) - PAGESIZE - used)


def lastingly_guarded(size: int, dtype: Any) -> Array:
    """`size` zeros, guarded for as long as they are there."""
    area = guarded_area(pages_of(size * np.dtype(dtype).itemsize))
    end = address_of(area) + len(area) - PAGESIZE
    ENDS.add(end)
    weakref.finalize(area, ENDS.discard, end)
    return last_of(area, size, dtype)


def with_guards(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel, on guarded arrays."""

    @wraps(kernel)
    def run(*arguments: Any) -> Any:
        moved: list[tuple[Array, Array, mmap]] = []
        result = kernel(*(guarded(argument, moved) for argument in arguments))
        for argument, twin, area in moved:
            argument[...] = twin
            AREAS[pages_of(argument.nbytes)].append(area)
        return result

    return run


def guarded(argument: Any, moved: list[tuple[Array, Array, mmap]]) -> Any:
    """An argument whose arrays, also those of a tuple, are in guarded areas; they are noted, with
    their twins there.
    """
    if type(argument) is not tuple and isinstance(argument, tuple):
        return type(argument)(*(guarded(one, moved) for one in argument))
    if not isinstance(argument, np.ndarray) or argument.ctypes.data + argument.nbytes in ENDS:
        return argument
    pages = pages_of(argument.nbytes)
    area = AREAS[pages].pop() if AREAS[pages] else guarded_area(pages)
    twin = last_of(area, argument.size, argument.dtype).reshape(argument.shape)
    twin[...] = argument
    moved.append((argument, twin, area))
    return twin


def pytest_configure(config: pytest.Config) -> None:
    """Put guards around the kernels in each module that calls them."""
    if not IS_COMPILED:
        raise pytest.UsageError("Guard pages are for compiled kernels: unset NUMBA_DISABLE_JIT.")
    modules = {name: module for name, module in sys.modules.items() if "bmat.aggregation" in name}
    for name, module in modules.items():
        if not name.startswith("bmat.aggregation.kernels."):
            for attribute, value in vars(module).copy().items():
                if isinstance(value, Dispatcher):
                    setattr(module, attribute, with_guards(value))
    # Arrays for all days are too large to be moved at each call.
    setattr(workspace, "sparse_array", lastingly_guarded)  # noqa: B010 (its type is another)
