"""The first bytes of a file: where its header may start, and what its first record is under each
delimiter.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bmat.aggregation.errors import shown_names
from bmat.aggregation.options import Options, column_key, delimiter_byte, is_delimiter
from bmat.aggregation.results import Extent
from bmat.aggregation.source.layout import Skipped
from bmat.aggregation.source.preset import Preset
from bmat.aggregation.source.records import (
    Dialect,
    Record,
    has_old_line_ends,
    line_end,
    record_at,
    records_from,
)

DELIMITERS = (b",", b";", b"\t", b"|")
# Among so many lines a header is looked for that is not the first record.
PREAMBLE_LINES = 100
NONE = Record(Extent(0, 0, 0), 0, 0, [])
BYTE_ORDER_MARKS = re.compile(rb"(?:\xef\xbb\xbf)*+")
# What Excel writes, and other programs write for it.
SEP_LINE = re.compile(
    rb'(?:\xef\xbb\xbf)*+(?P<quote>"?)sep=(?P<delimiter>[\x00-\x7f])(?P=quote)', re.IGNORECASE
)


@dataclass(frozen=True)
class First:
    """The record that may be the header, under one delimiter; NONE where no record may. `skipped`
    are those before it, which are rejected.
    """

    delimiter: bytes
    record: Record
    skipped: tuple[Skipped, ...] = ()

    @property
    def fields(self) -> list[bytes]:
        return self.record.fields

    @cached_property
    def names(self) -> list[str]:
        return [name.decode("utf-8", "replace") for name in self.fields]

    @property
    def shown_names(self) -> str:
        """The names, for a message."""
        return shown_names(self.names)

    @cached_property
    def keys(self) -> list[str]:
        """The names as they are compared. Each is looked at once: there may be a million of them,
        all alike.
        """
        key_of = {name: column_key(name) for name in set(self.names)}
        return [key_of[name] for name in self.names]


@dataclass(frozen=True)
class Head:
    """A file's first bytes in UTF-8: all of them, or as many as `Bounds.held` says."""

    data: bytes
    options: Options
    source: Path
    _firsts: dict[tuple[bytes, bool], First | None] = field(default_factory=dict, repr=False)

    @property
    def bound(self) -> int:
        """The header ends within so many bytes."""
        return self.options.bounds.record

    @cached_property
    def has_cr_ends(self) -> bool:
        return has_old_line_ends(self.data)

    @cached_property
    def _behind_sep(self) -> tuple[bytes | None, int, int]:
        """The delimiter that the first line names, and the byte and the physical line at which the
        next line starts; without one, the start of the file.
        """
        match = SEP_LINE.match(self.data)
        if match is not None and is_delimiter(match["delimiter"].decode()):
            stop, behind = line_end(self.data, match.end(), self.has_cr_ends)
            if stop == match.end():
                return match["delimiter"], behind, 2
        return None, 0, 1

    def is_empty(self) -> bool:
        """Whether there is nothing but byte order marks and empty lines, in at most 1 MiB."""
        records = records_from(self.data, 0, 1, self.dialect(b",", is_quoted=True))
        return len(self.data) <= self.bound and next(records, None) is None

    def dialect(self, delimiter: bytes, *, is_quoted: bool) -> Dialect:
        return Dialect(delimiter, is_quoted, self.has_cr_ends, self.options.bounds)

    def _records(self, dialect: Dialect) -> Iterator[Record]:
        """The records of the file, but for a line that names the delimiter."""
        _, start, line = self._behind_sep
        return records_from(self.data, start, line, dialect)

    def delimiters(self, preset: Preset) -> Sequence[bytes]:
        """Those that may separate the fields, the likeliest first. Of those that do not occur there
        is one: they all make the same records.
        """
        named = self.named_delimiter(preset)
        return self._likely_delimiters if named is None else (named,)

    def named_delimiter(self, preset: Preset) -> bytes | None:
        """The delimiter that the options name, or the first line, or else the preset."""
        if self.options.delimiter is not None:
            return delimiter_byte(self.options.delimiter)
        if self._behind_sep[0] is not None:
            return self._behind_sep[0]
        return None if preset.delimiter is None else delimiter_byte(preset.delimiter)

    @cached_property
    def _likely_delimiters(self) -> tuple[bytes, ...]:
        absent = [one for one in DELIMITERS if one not in self.data]
        return tuple(one for one in DELIMITERS if one not in absent[1:])

    def is_quoted(self, preset: Preset) -> bool:
        return (self.options.quoting or preset.quoting) == "csv"

    def firsts(self, preset: Preset) -> Iterator[First]:
        """The first record under each delimiter, of those that end within the first MiB. Those come
        last under which records are rejected before it: under a delimiter that a quoted file does
        not have, all of them may be.
        """
        is_quoted = self.is_quoted(preset)
        delimiters = self.delimiters(preset)
        if len(delimiters) > 1 and self.options.header_line is None:
            delimiters = sorted(delimiters, key=lambda one: self._is_faulty(one, is_quoted))
        for delimiter in delimiters:
            first = self.first(delimiter, is_quoted)
            if first is not None:
                yield first

    def _is_faulty(self, delimiter: bytes, is_quoted: bool) -> bool:
        """Whether the file's very first record is rejected, under this delimiter."""
        records = self._records(self.dialect(delimiter, is_quoted=is_quoted))
        return next(records, NONE).fault is not None

    def first(self, delimiter: bytes, is_quoted: bool) -> First | None:
        """The first record; None where it ends too far from the file's start."""
        key = delimiter, is_quoted
        if key not in self._firsts:
            dialect = self.dialect(delimiter, is_quoted=is_quoted)
            line = self.options.header_line
            found = self._found(dialect) if line is None else self._named(dialect, line)
            self._firsts[key] = found
        return self._firsts[key]

    def _found(self, dialect: Dialect) -> First | None:
        skipped: list[Skipped] = []
        for record in self._records(dialect):
            if record.extent.stop > self.bound:
                return None
            if record.fault is None:
                return First(dialect.delimiter, record, tuple(skipped))
            skipped.append(Skipped(record.line, record.extent, record.fault))
        return First(dialect.delimiter, NONE) if len(self.data) <= self.bound else None

    def _named(self, dialect: Dialect, header_line: int) -> First | None:
        """The record that starts on the line that `header_line` names."""
        start = self._header_start
        if start == len(self.data) or start > self.bound:
            return First(dialect.delimiter, NONE) if len(self.data) <= self.bound else None
        marks = BYTE_ORDER_MARKS.match(self.data, start)
        assert marks is not None
        if line_end(self.data, marks.end(), self.has_cr_ends)[0] == marks.end():
            return First(dialect.delimiter, NONE)
        record = record_at(self.data, marks.end(), header_line, dialect)
        if record.extent.stop > self.bound:
            return None
        return First(dialect.delimiter, record if record.fault is None else NONE)

    @cached_property
    def _header_start(self) -> int:
        """Where the line starts that `header_line` names; the end of the data where there is no
        such line.
        """
        position, line = 0, 1
        while line < (self.options.header_line or 1) and position < len(self.data):
            position, line = line_end(self.data, position, self.has_cr_ends)[1], line + 1
        return position

    def preamble(self, preset: Preset) -> list[First]:
        """The whole records that start on the first hundred lines, in order of lines, under each
        delimiter, each as if it were the first one.
        """
        found: list[First] = []
        for delimiter in self.delimiters(preset):
            dialect = self.dialect(delimiter, is_quoted=self.is_quoted(preset))
            for record in self._records(dialect):
                if record.line > PREAMBLE_LINES or record.extent.stop > self.bound:
                    break
                if record.fault is None:
                    found.append(First(delimiter, record))
        return sorted(found, key=lambda first: first.record.line)
