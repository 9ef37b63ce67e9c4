"""How the records of a file are laid out: what reading its header finds out."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.options import BOUNDS, Bounds


class Extent(NamedTuple):
    """Where a record lies in the file, in bytes: `stop` is before its line end, `next` behind
    it.
    """

    start: int
    stop: int
    next: int
    terminated: bool


@dataclass(frozen=True)
class Layout:
    """How the records of one file are laid out.

    `song`, `date` and `plays` are field indexes among `field_count` fields; the first record
    starts at byte `data_start`, on physical line `first_line`; `skipped` are the records with an
    unterminated quote before the header, with their lines; `bounds` say how long a record may be.
    """

    delimiter: bytes
    field_count: int
    song: int
    date: int
    plays: int
    data_start: int
    first_line: int
    skipped: tuple[tuple[int, Extent], ...]
    bounds: Bounds = BOUNDS


@dataclass(frozen=True)
class Source:
    """One input file as it is read: `path` holds its bytes in UTF-8, `owner_path` is the path
    that was given.
    """

    path: Path
    owner_path: Path
    size: int
    layout: Layout

    @property
    def data_bytes(self) -> int:
        """How many bytes its records take."""
        return self.size - self.layout.data_start
