"""What the readers of files make, and share: how records are laid out, and how files begin."""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.options import Options, column_key
from bmat.aggregation.source.layout import Filter, JSONOrigin, Layout
from bmat.aggregation.source.preset import Preset
from bmat.aggregation.source.records import has_old_line_ends

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
    """The first bytes of a file, whose text starts at `start`, behind a byte order mark; with
    `has_cr_ends` they have an LF for each of its CRs.
    """

    data: bytes
    start: int
    has_cr_ends: bool


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
    field_count: int,
    fields: Mapping[str, int],
    place: Place,
    day: date | None = None,
) -> Layout:
    """The layout of records with so many fields, of which `fields` are read. Without a date among
    them all are of `day`.
    """
    kept = None
    if preset.keep is not None:
        kept = Filter(fields["filter"], **asdict(preset.keep))
    return Layout(
        delimiter=delimiter,
        field_count=field_count,
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
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    return Beginning(with_line_feeds(data, has_cr_ends), start, has_cr_ends)


def with_line_feeds(text: bytes, has_cr_ends: bool) -> bytes:
    """A part of a file, of the same length, whose lines end with LF, so that they can be counted.
    Of a CR LF the LF is an empty line then.
    """
    return text.replace(b"\r", b"\n") if has_cr_ends else text
