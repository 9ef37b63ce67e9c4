"""Files without an ordinary header, opened: what all of their readers make, and those whose
records are told by the position of their fields alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.options import Options, column_key, delimiter_byte
from bmat.aggregation.source.layout import Filter, JSONOrigin, Layout
from bmat.aggregation.source.preset import Preset
from bmat.aggregation.source.records import has_old_line_ends

OnRead = Callable[[int], None]

UTF8_BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 2**16
COUNT = re.compile(r"[0-9]{1,18}")


class Opened(NamedTuple):
    """A file, ready to be read: `path` has its records, laid out as `layout` says; with
    `are_periods` its dates stand for longer times. `header_line` is 0 where there is no header.
    """

    path: Path
    layout: Layout
    are_periods: bool
    header_line: int = 0
    json: JSONOrigin | None = None


class Place(NamedTuple):
    """Where the records begin: the byte, and the physical line; and whether each CR ends a line."""

    start: int
    line: int
    has_cr_ends: bool


class Beginning(NamedTuple):
    """The first bytes of a file; with `has_cr_ends` they have an LF for each of its CRs."""

    data: bytes
    has_cr_ends: bool

    @property
    def start(self) -> int:
        """Where the text starts, behind a byte order mark."""
        return len(UTF8_BOM) if self.data.startswith(UTF8_BOM) else 0


def refuse(preset: Preset, options: Options, *names: str) -> None:
    """Raises AggregationError `invalid_option` where one of these options is given."""
    for name in names:
        value = getattr(options, name)
        if value is not None:
            advice = f"the preset {preset.name} does not know it"
            raise failure("invalid_option", option=name, value=repr(value), advice=advice)


def found_fields(
    preset: Preset, columns: Sequence[str], options: Options, source: Path
) -> dict[str, int]:
    """The field of each role that is read, in a record whose fields have the names `columns`.
    Raises AggregationError `missing_column` or `duplicate_column`.
    """
    keys = [column_key(name) for name in columns]
    found = preset.positions(keys, options)
    for role in preset.wanted(options):
        if role not in found:
            raise preset.without(role, options, source)
        if keys.count(keys[found[role]]) > 1:
            name, names = repr(columns[found[role]]), ", ".join(map(repr, columns[:20]))
            raise failure("duplicate_column", source, wanted=name, found=names)
    return found


def layout_of(
    preset: Preset,
    options: Options,
    delimiter: bytes,
    columns: Sequence[str],
    fields: Mapping[str, int],
    place: Place,
    day: date | None = None,
) -> Layout:
    """The layout of records with the fields `columns`, of which `fields` are read. Without a date
    among them all are of `day`.
    """
    kept = None
    if preset.keep is not None:
        kept = Filter(fields["filter"], **asdict(preset.keep))
    return Layout(
        delimiter=delimiter,
        field_count=len(columns),
        key=tuple(fields[role] for role in options.key),
        song=fields.get("song") if "song" in options.key else None,
        date=fields.get("date"),
        plays=fields.get("plays"),
        data_start=place.start,
        first_line=place.line,
        date_format=options.date_format or preset.date_format,
        thousands=options.thousands,
        fixed_day=None if day is None else day.toordinal() - date.min.toordinal(),
        is_quoted=(options.quoting or preset.quoting) == "csv",
        has_cr_ends=place.has_cr_ends,
        filter=kept,
        bounds=options.bounds,
    )


def open_positions(preset: Preset, readable: Path, options: Options, source: Path) -> Opened:
    """A file whose fields have no names in it. Raises AggregationError `missing_column` where its
    first line shows that it is another one.
    """
    refuse(preset, options, "header_line")
    delimiter = delimiter_byte(options.delimiter or preset.delimiter or ",")
    fields = found_fields(preset, preset.fields, options, source)
    head, has_cr_ends = beginning = head_of(readable)
    start = beginning.start
    assert preset.head is not None
    match = preset.head.match(head, start)
    if match is None:
        first = head[start:].lstrip(b"\r\n").split(b"\n", 1)[0]
        if first.count(delimiter) < max(fields.values()):
            raise preset.misfit(
                f"its first line has not the fields {', '.join(preset.fields)}", source
            )
    else:
        start = match.end()
    place = Place(start, 1 + head.count(b"\n", 0, start), has_cr_ends)
    layout = layout_of(preset, options, delimiter, preset.fields, fields, place)
    return Opened(readable, layout, preset.are_periods)


def compare(things: str, said: str, found: int, source: Path) -> None:
    """Raises AggregationError `count_mismatch` where a file has not as many as it says."""
    digits = said.strip(" ")
    if not COUNT.fullmatch(digits):
        difference = "no number"
    elif (number := int(digits)) != found:
        difference = f"{abs(found - number)} too {'few' if found < number else 'many'}"
    else:
        return
    details = {"things": things, "said": shown(said), "found": found, "difference": difference}
    raise failure("count_mismatch", source, **details)


def head_of(path: Path) -> Beginning:
    """The first bytes of a file."""
    with path.open("rb") as file:
        data = file.read(HEAD_BYTES)
    has_cr_ends = has_old_line_ends(data)
    return Beginning(with_line_feeds(data, has_cr_ends), has_cr_ends)


def with_line_feeds(text: bytes, has_cr_ends: bool) -> bytes:
    """A part of a file, of the same length, whose lines end with LF, so that they can be counted.
    Of a CR LF the LF is an empty line then.
    """
    return text.replace(b"\r", b"\n") if has_cr_ends else text
