"""`python -m bmat.aggregation.tests.another_system TESTS`: pytest, on a system that lacks `/proc`
and what Linux and the GNU C library have beyond POSIX.
"""

import ctypes
import mmap
import os
import sys
from typing import Any

import dask  # noqa: F401 (looks into /proc when it is imported, on this system)
import pytest

LACKING = {
    os: (
        *("O_DIRECT", "sched_getaffinity", "pwritev", "preadv", "sendfile"),
        *("splice", "copy_file_range", "memfd_create", "posix_fadvise", "posix_fallocate"),
        *("pidfd_open", "eventfd", "getxattr", "setxattr", "prlimit"),
    ),
    mmap: ("MADV_HUGEPAGE", "MADV_DONTFORK", "MAP_POPULATE", "MAP_NORESERVE"),
}

# psutil, which distributed imports, has ways of its own on every system.
OF_PSUTIL = ("/proc/meminfo", "/proc/stat", "/proc/cpuinfo", "/proc/filesystems")


class OtherLibrary(ctypes.CDLL):
    """A C library without the functions that the GNU C library adds."""

    def __getattr__(self, name: str) -> Any:
        if name in ("mallopt", "malloc_trim"):
            raise AttributeError(name)
        return super().__getattr__(name)


def refuse_proc(event: str, arguments: tuple[object, ...]) -> None:
    """Raises FileNotFoundError for a file in `/proc`: https://docs.python.org/3/library/sys.html"""
    name = str(arguments[0]) if event == "open" else ""
    if name.startswith("/proc/") and name not in OF_PSUTIL:
        raise FileNotFoundError(arguments[0])


def main() -> int:
    for module, names in LACKING.items():
        for name in names:
            vars(module).pop(name, None)
    ctypes.CDLL = OtherLibrary  # type: ignore[misc]
    sys.addaudithook(refuse_proc)
    return pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
