"""Where the bytes of an input come from: a file, or something that can be read forward, and once.

The engine reads every input in several places at once, so what is no file in UTF-8 is written to
one first, in the run's temporary folder: one pass more, and as much disk as the input is long.
"""

import errno
import os
import select
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from bmat.aggregation.options import Options
from bmat.aggregation.source.encoding import MARK_BYTES, source_encoding, utf8_of

CHUNK_BYTES = 2**20
STANDARD_INPUT = Path("-")
# How long a stream may be silent before the run looks whether it has been cancelled.
SECONDS_BETWEEN_LOOKS = 0.1

OnRead = Callable[[int], None]


class Origin(Protocol):
    """An input. `path` is its name, in messages and in the rejects file; `local_path` a file that
    holds all of its bytes, if there is one; `size` is how many there are, if that is known.
    """

    @property
    def path(self) -> Path: ...

    @property
    def local_path(self) -> Path | None: ...

    @property
    def size(self) -> int | None: ...

    def chunks(self) -> Generator[bytes, None, None]:
        """All bytes, from the first on. An empty chunk says that the next one is awaited still."""


@dataclass(frozen=True)
class LocalFile:
    """A file that can be read anywhere, and again."""

    path: Path

    @property
    def local_path(self) -> Path:
        return self.path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def chunks(self) -> Generator[bytes, None, None]:
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


@dataclass(frozen=True)
class Stream:
    """A pipe, a FIFO, a socket, a terminal: read forward, and once. It stays open."""

    path: Path
    file: BinaryIO
    local_path: None = None
    size: None = None

    def chunks(self) -> Generator[bytes, None, None]:
        descriptor = self.file.fileno()
        while True:
            ready, _, _ = select.select([descriptor], [], [], SECONDS_BETWEEN_LOOKS)
            if not ready:
                yield b""
                continue
            chunk = os.read(descriptor, CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


@dataclass(frozen=True)
class NamedPipe:
    """A path behind which there is no file, but a stream, which is opened when it is read."""

    path: Path
    local_path: None = None
    size: None = None

    def chunks(self) -> Generator[bytes, None, None]:
        # Else opening would wait, deaf to a cancel, until somebody opens the other end.
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb", buffering=0) as file:
            yield from Stream(self.path, file).chunks()


def origin_of(path: Path) -> Origin:
    """The input that a path stands for; `-` is standard input. Raises OSError for a folder."""
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed", str(path))
        return Stream(path, sys.stdin.buffer)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if stat.S_ISREG(mode):
        return LocalFile(path)
    return NamedPipe(path)


def localized(
    origin: Origin, options: Options, target: Path, on_read: OnRead
) -> tuple[Path, str | None]:
    """A file with the input's bytes in UTF-8: its own, where it has one, else `target`, which is
    written; and the encoding from which they were decoded, None where they are UTF-8. `on_read` is
    called with the number of bytes written so far, at least every second while the input is
    awaited.
    """
    with closing(origin.chunks()) as chunks:
        head = first_bytes(chunks, on_read)
        encoding = source_encoding(head, options)
        if encoding is None and origin.local_path is not None:
            return origin.local_path, None
        with target.open("wb") as out:
            for chunk in utf8_of(counted(head, chunks, on_read), encoding):
                out.write(chunk)
    return target, encoding


def first_bytes(chunks: Iterator[bytes], on_read: OnRead) -> bytes:
    """So many bytes that they show a byte order mark, if the input has that many."""
    head = b""
    for chunk in chunks:
        head += chunk
        on_read(0)
        if len(head) >= MARK_BYTES:
            break
    return head


def counted(head: bytes, chunks: Iterator[bytes], on_read: OnRead) -> Iterator[bytes]:
    """`head`, then `chunks`; tells how many bytes that makes."""
    yield head
    total = len(head)
    for chunk in chunks:
        yield chunk
        total += len(chunk)
        on_read(total)
