"""The bytes of a source, read by their place: wherever they are."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from bmat.aggregation.source.layout import Source
from bmat.aggregation.system import read_into


class Readable(Protocol):
    """A text in UTF-8 of `size` bytes: more than there can be, as long as its end is not known."""

    @property
    def size(self) -> int: ...

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill `view` from `offset` on. Returns how many bytes were read: maybe fewer, 0 at the
        end.
        """


class Text(Readable, Protocol):
    """A text of which a few bytes can be had, too."""

    def read(self, count: int, offset: int) -> bytes:
        """The bytes from `offset` on, `count` of them, or fewer at the end."""


@dataclass(frozen=True)
class FileText:
    """The text in a file that is open, as it was long before."""

    descriptor: int
    size: int

    def read_into(self, view: memoryview, offset: int) -> int:
        return read_into(self.descriptor, view, offset)

    def read(self, count: int, offset: int) -> bytes:
        return os.pread(self.descriptor, count, offset)


@contextmanager
def open_text(source: Source) -> Iterator[Text]:
    """The text of a source, while the block lasts."""
    if source.window is not None:
        yield source.window
        return
    descriptor = os.open(source.path, os.O_RDONLY)
    try:
        yield FileText(descriptor, source.size)
    finally:
        os.close(descriptor)
