"""How the records of a file are laid out: what reading its header finds out."""

from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.options import BOUNDS, Bounds
from bmat.aggregation.results import Extent, Input
from bmat.aggregation.source.window import Window


class Skipped(NamedTuple):
    """A record before the header that is rejected, on physical line `line`."""

    line: int
    extent: Extent
    reason: str


@dataclass(frozen=True)
class Filter:
    """Which records count: those whose field number `column` is `text`, or, of a `prefix`, starts
    with it. All others are left out, for `reason`: `not_a_play` or `other_record`.
    """

    column: int
    text: bytes
    is_prefix: bool
    reason: str


@dataclass(frozen=True)
class Layout:
    """How the records of one file are laid out.

    `key`, `date` and `plays` are field indexes: the key's in the order of `group_by`, that of the
    `song` among them where it is one of them; without
    `date` all plays are of `fixed_day` (days since 0001-01-01), without `plays` each record is one
    play. A field beyond number `field_count` that holds something is one too many.

    The first record starts at byte `data_start`, on physical line `first_line`; `skipped` are the
    rejected ones before it; `header` is the header's bytes, without its line end (none: b"").
    `date_format` and `thousands` are the options' values. With `is_quoted` quotes may open a field;
    with `has_cr_ends` each CR ends a line. What has a field too many is rejected for
    `extra_reason`. `bounds` say how long a record may be.
    """

    delimiter: bytes
    field_count: int
    key: tuple[int, ...]
    date: int | None
    plays: int | None
    data_start: int
    first_line: int
    skipped: tuple[Skipped, ...] = ()
    header: bytes = b""
    date_format: str = "iso"
    thousands: str | None = None
    fixed_day: int | None = None
    is_quoted: bool = True
    has_cr_ends: bool = False
    filter: Filter | None = None
    song: int | None = None
    extra_reason: str = "extra_field"
    bounds: Bounds = BOUNDS

    @property
    def line_end(self) -> bytes:
        """The last byte of most lines."""
        return b"\r" if self.has_cr_ends else b"\n"


@dataclass(frozen=True)
class JSONOrigin:
    """Of a source that was made of JSON: the file with the JSON itself. Each record's first field
    is `start:stop:line` of its text there; `paths` names the record's fields: reason -> path.
    """

    path: Path
    paths: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One input file as it is read: `path` holds its bytes in UTF-8, or the `window` gives them;
    `owner_path` is the path that was given, or the name that is shown in its place; `read_as` says
    how it is read, `are_periods` that its dates stand for periods. As long as the window has not
    seen the end, `size` is a guess.

    Of a sheet, `broken_lines` are the lines that go on with the row of the line before, and
    `unread_sheets` the others that may have been meant as well.
    """

    path: Path
    owner_path: Path
    size: int
    layout: Layout
    read_as: Input = Input("default", ",", "utf-8", 1)
    are_periods: bool = False
    json: JSONOrigin | None = None
    window: Window | None = None
    broken_lines: tuple[int, ...] = ()
    unread_sheets: tuple[str, ...] = ()

    @property
    def is_stream(self) -> bool:
        """Whether it can be read forward alone, and its size is not known."""
        return self.window is not None and not self.window.is_whole

    @property
    def share(self) -> float:
        """How much of it has come, of one that is read through a window."""
        return 0.0 if self.window is None else self.window.share

    @property
    def text_bytes(self) -> int:
        """How many bytes the text has, once it has been read."""
        return self.size if self.window is None else self.window.size

    @property
    def input_bytes(self) -> int:
        """How many bytes the input has, in UTF-8, once it has been read."""
        return self.text_bytes if self.json is None else self.json.path.stat().st_size

    def line_of(self, line: int) -> int:
        """The line as the input's owner knows it: of a sheet, the row."""
        return line - bisect_left(self.broken_lines, line)

    @property
    def data_bytes(self) -> int:
        """How many bytes its records take."""
        return self.size - self.layout.data_start
