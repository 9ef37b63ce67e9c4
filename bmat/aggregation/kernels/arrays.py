"""Arrays of bytes that kernels read and write by words of eight bytes, four at once at the most.

Such a kernel touches up to SLACK_BYTES behind the bytes that it means. So whatever it is given is
made here, and has the type PaddedBytes: an array of the exact length of its contents may end where
the process has no memory.
"""

from typing import NewType

import numpy as np
import numpy.typing as npt

SLACK_BYTES = 64

# Its last SLACK_BYTES are nobody's: kernels may read them, and overwrite them.
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

PaddedBytes = NewType("PaddedBytes", npt.NDArray[np.uint8])


def padded_bytes(size: int) -> PaddedBytes:
    """`size` zeros, and the slack."""
    return PaddedBytes(np.zeros(size + SLACK_BYTES, dtype=np.uint8))


def padded_copy(data: bytes | npt.NDArray[np.uint8]) -> PaddedBytes:
    """A copy of `data`, and the slack."""
    copy = padded_bytes(len(data))
    copy[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    return copy


def grown(array: PaddedBytes, size: int, used: int) -> PaddedBytes:
    """A larger array with the first `used` bytes of `array`."""
    larger = padded_bytes(size)
    larger[:used] = array[:used]
    return larger


def size_of(array: PaddedBytes) -> int:
    """How many bytes it has without the slack."""
    return len(array) - SLACK_BYTES
