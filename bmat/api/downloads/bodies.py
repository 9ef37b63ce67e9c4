"""What is sent of a file: a stretch of it, or all of it changed on the way. Memory holds one chunk,
however large the file.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 2**18
# The fastest: a download shall not wait for the processor. Its output is a third larger than the
# smallest.
GZIP_LEVEL = 1
# What makes zlib write the frame of gzip. https://docs.python.org/3/library/zlib.html
GZIP_WINDOW_BITS = 31


class Body:
    """The chunks of a response. Closes the file with the response, read or not, and calls `end`.

    Raises FileNotFoundError at once where there is no file.
    """

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self.end: Callable[[], None] = lambda: None
        self._file = path.open("rb", buffering=0)
        self.chunks: Iterator[bytes] = stretch(self._file, start, stop)

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self._file.close()
        self.end()


def stretch(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` up to `stop`; fewer, where the file ends before."""
    file.seek(start)
    while chunk := file.read(min(CHUNK_BYTES, stop - start)):
        yield chunk
        start += len(chunk)


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as one gzip file. zlib keeps back what it can: empty pieces are left out, for some
    servers take one for the end.
    """
    packer = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW_BITS)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
