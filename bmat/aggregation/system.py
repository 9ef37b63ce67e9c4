"""What some systems have and others lack: each is used where it exists, and no result needs it."""

import ctypes
import mmap
import os

# Of malloc.h in the GNU C library: https://man7.org/linux/man-pages/man3/mallopt.3.html
M_MMAP_THRESHOLD = -3
LEAST_MAPPED_BYTES = 2**18

# Marks a file whose writes pass by the page cache (Linux); 0 changes nothing.
O_DIRECT: int = getattr(os, "O_DIRECT", 0)


def available_cores() -> int:
    """How many cores this process may use, where the system tells; else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_huge_pages(area: mmap.mmap) -> None:
    """Ask for pages of 2 MiB, of which fewer have to be cleared and looked up (Linux)."""
    if hasattr(mmap, "MADV_HUGEPAGE"):
        area.madvise(mmap.MADV_HUGEPAGE)


def write_views(descriptor: int, views: list[memoryview], offset: int) -> int:
    """Write `views` at `offset`, in one call where the system can. Returns how many bytes were
    written: maybe fewer than there are.
    """
    if hasattr(os, "pwritev"):
        return os.pwritev(descriptor, views, offset)
    return os.pwrite(descriptor, views[0], offset)


def read_into(descriptor: int, buffer: memoryview, offset: int) -> int:
    """Fill `buffer` from `offset` on, without a copy where the system can. Returns how many bytes
    were read: maybe fewer, 0 at the end.
    """
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [buffer], offset)
    data = os.pread(descriptor, len(buffer), offset)
    buffer[: len(data)] = data
    return len(data)


def map_large_arrays() -> None:
    """Give each array of LEAST_MAPPED_BYTES or more a mapping of its own, in this whole process:
    what a run has freed goes back to the system at once.

    The GNU C library does so at first, but raises the bound up to 32 MiB as arrays are freed. Those
    below it lie in heaps from then on, between others, and a heap keeps what is free amid the rest:
    a process that had run five reports took almost twice the memory that it took for the first.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LEAST_MAPPED_BYTES)
