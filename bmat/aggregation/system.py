"""Memory goes back to the system as soon as it is free, so that a process may run one report after
another within the budget.
"""

import ctypes

# Of malloc.h in the GNU C library: https://man7.org/linux/man-pages/man3/mallopt.3.html
M_MMAP_THRESHOLD = -3
LEAST_MAPPED_BYTES = 2**18

LIBRARY = ctypes.CDLL(None)


def map_large_arrays() -> None:
    """Give each array of LEAST_MAPPED_BYTES or more a mapping of its own, in this whole process.

    The GNU C library does so at first, but raises the bound up to 32 MiB as arrays are freed. Those
    below it lie in heaps from then on, between others, and a heap keeps what is free amid the rest:
    a process that had run five reports took almost twice the memory that it took for the first. A
    C library without this function is left as it is.
    """
    if hasattr(LIBRARY, "mallopt"):
        LIBRARY.mallopt(M_MMAP_THRESHOLD, LEAST_MAPPED_BYTES)
