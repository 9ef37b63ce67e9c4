"""Where the bytes of an input come from: a file, or something that can be read forward, and once.

What is no file in UTF-8 is read through a window (see `window`), or, where somebody must read it in
several places at once, written to a file of the run's temporary folder first (`localized`).
"""

import errno
import os
import select
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bmat.aggregation.options import Options
from bmat.aggregation.progress import OnRead
from bmat.aggregation.source.encoding import source_encoding, utf8_of
from bmat.aggregation.source.signatures import SIGNATURE_BYTES

CHUNK_BYTES = 2**20
STANDARD_INPUT = Path("-")
# How long a stream may be silent before the run looks whether it has been cancelled.
SECONDS_BETWEEN_LOOKS = 0.1


class Origin(ABC):
    """An input. `path` is its name, in messages and in the rejects file; `local_path` a file that
    holds all of its bytes, if there is one. Whether it `can_repeat`: be read again, from the first
    byte on. For `broken_lines` and `unread` see `workbook.Sheet`: others have none.
    """

    path: Path
    local_path: Path | None = None
    can_repeat = False
    broken_lines: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """How many bytes there are, if that is known."""
        return None

    @property
    def share(self) -> float | None:
        """How much of them has been read, by the last one who did, if that is known."""
        return None

    @abstractmethod
    def chunks(self) -> Generator[bytes, None, None]:
        """All bytes, from the first on. An empty chunk says that the next one is awaited still."""


@dataclass
class LocalFile(Origin):
    """A file that can be read anywhere, and again; `path` is what it is called."""

    path: Path
    local_path: Path
    taken: int = 0
    can_repeat = True

    @property
    def size(self) -> int:
        return self.local_path.stat().st_size

    @property
    def share(self) -> float:
        return self.taken / max(self.size, 1)

    def chunks(self) -> Generator[bytes, None, None]:
        self.taken = 0
        with self.local_path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                self.taken += len(chunk)
                yield chunk


@dataclass
class Stream(Origin):
    """A pipe, a FIFO, a socket, a terminal: read forward, and once. Of it `head` has been read, and
    `rest` has not.
    """

    path: Path
    head: bytes
    rest: Generator[bytes, None, None]

    def chunks(self) -> Generator[bytes, None, None]:
        with closing(self.rest):
            yield self.head
            yield from self.rest


def looked_at(path: Path, on_read: OnRead) -> tuple[Origin, bytes]:
    """The input that a path stands for (`-` is standard input), to be read from its first byte on,
    and its first SIGNATURE_BYTES, or all that there are. `on_read` is called at least every second
    while they are awaited. Raises OSError for a folder.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed", str(path))
        chunks = stream_chunks(sys.stdin.fileno())
    else:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if stat.S_ISREG(mode):
            file = LocalFile(path, path)
            with closing(file.chunks()) as chunks:
                return file, first_bytes(chunks, on_read)[:SIGNATURE_BYTES]
        chunks = pipe_chunks(path)
    head = first_bytes(chunks, on_read)
    return Stream(path, head, chunks), head[:SIGNATURE_BYTES]


def stream_chunks(descriptor: int) -> Generator[bytes, None, None]:
    """What comes out of an open stream, which stays open."""
    while True:
        ready, _, _ = select.select([descriptor], [], [], SECONDS_BETWEEN_LOOKS)
        if not ready:
            yield b""
            continue
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


def pipe_chunks(path: Path) -> Generator[bytes, None, None]:
    """What comes out of the stream behind a path, which is opened when it is read."""
    # Else opening would wait, deaf to a cancel, until somebody opens the other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb", buffering=0):
        yield from stream_chunks(descriptor)


def first_bytes(chunks: Iterator[bytes], on_read: OnRead) -> bytes:
    """So many bytes that they show a signature or a byte order mark, if the input has that many."""
    head = b""
    for chunk in chunks:
        head += chunk
        on_read(0)
        if len(head) >= SIGNATURE_BYTES:
            break
    return head


def texts_of(
    chunks: Iterator[bytes], options: Options, on_read: OnRead
) -> tuple[Iterator[bytes], str | None]:
    """The chunks of an input in UTF-8, and the encoding from which they are decoded, None where
    they are UTF-8. `on_read` is told how many bytes of the input have been read.
    """
    head = first_bytes(chunks, on_read)
    encoding = source_encoding(head, options)
    return utf8_of(counted(chain([head], chunks), on_read), encoding), encoding


def counted(chunks: Iterable[bytes], on_read: OnRead) -> Iterator[bytes]:
    """The chunks; tells how many bytes they make, once they have been used."""
    total = 0
    for chunk in chunks:
        yield chunk
        total += len(chunk)
        on_read(total)


def localized(
    origin: Origin, options: Options, target: Path, on_read: OnRead, most_bytes: int = sys.maxsize
) -> tuple[Path, str | None]:
    """A file with the input's bytes in UTF-8: its own, where it has one, else `target`, which is
    written, with `most_bytes` at most; and the encoding from which they were decoded, None where
    they are UTF-8. `on_read` is called with the number of bytes written so far, at least every
    second while the input is awaited.
    """
    with closing(origin.chunks()) as chunks:
        texts, encoding = texts_of(chunks, options, on_read)
        if encoding is None and origin.local_path is not None:
            return origin.local_path, None
        write(texts, target, most_bytes)
    return target, encoding


def write(texts: Iterable[bytes], target: Path, most_bytes: int = sys.maxsize) -> None:
    """Write a text to a file, the first `most_bytes` of it."""
    left = most_bytes
    with target.open("wb") as out:
        for text in texts:
            left -= out.write(text[:left])
            if not left:
                return
