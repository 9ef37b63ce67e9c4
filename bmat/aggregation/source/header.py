"""How a file is read: which preset, which delimiter, which columns, and where the data begins.

What only a file needs that the default does not read is imported then: the command line starts
sooner without it.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.options import OPTION_NAMES, Options
from bmat.aggregation.source.head import First, Head
from bmat.aggregation.source.layout import Layout
from bmat.aggregation.source.opened import Place, layout_of
from bmat.aggregation.source.preset import DEFAULT, Preset
from bmat.aggregation.source.values import is_date, is_plays


class Reading(NamedTuple):
    """How a file is read. `layout` is None where the preset has a reader of its own, which finds it
    out; `header_line` is the physical line on which the header starts, 0 where there is none.
    """

    preset: Preset
    layout: Layout | None
    header_line: int


class Misfit(NamedTuple):
    """A file that does not fit `preset`; it looks like `likely`, which options rule out."""

    head: Head
    preset: Preset
    likely: Preset | None


def read_header(data: bytes, options: Options, source: Path) -> Reading | Misfit:
    """How UTF-8 bytes are read that begin with `data`: all of them, or as many as `Bounds.held`
    says. The preset is the one that is named; else the default, where it fits; else the one that
    the file is recognised as, unless options name columns.

    Raises AggregationError `empty_file` or `duplicate_column`, naming `source`.
    """
    head = Head(data, options, source)
    if head.is_empty():
        raise failure("empty_file", source)
    preset = preset_of(options)
    reading, likely = reading_as(preset, head), None
    if reading is None and options.preset is None:
        likely = recognised(head)
        if likely is not None and not has_named_columns(options):
            preset, likely = likely, None
            reading = reading_as(preset, head)
    return reading or Misfit(head, preset, likely)


def preset_of(options: Options) -> Preset:
    """The preset that is named, or the default."""
    if options.preset in (None, DEFAULT.name):
        return DEFAULT
    from bmat.aggregation.source.presets import by_name

    return by_name(options.preset)


def has_named_columns(options: Options) -> bool:
    names = (name for name in OPTION_NAMES if name.endswith("_column"))
    return any(getattr(options, name) is not None for name in names)


def recognised(head: Head) -> Preset | None:
    """The preset that the file looks like: by its first bytes, by its first record, or, of those
    that have something before the header, by one of the first hundred lines.
    """
    from bmat.aggregation.source.presets import recognised_head, recognised_header

    by_head = recognised_head(head.data)
    if by_head is not None:
        return by_head
    for first in head.firsts(DEFAULT):
        preset = recognised_header(first.keys, head.options)
        if preset is not None:
            return preset
    for first in head.preamble(DEFAULT):
        preset = recognised_header(first.keys, head.options)
        if preset is not None and preset.has_preamble:
            return preset
    return None


def reading_as(preset: Preset, head: Head) -> Reading | None:
    """How the preset reads the file; None where it does not fit."""
    if preset.reader != "header":
        return Reading(preset, None, 0)
    for first in candidates(preset, head):
        layout = headerless_layout(preset, first, head)
        if layout is not None:
            return Reading(preset, layout, 0)
        layout = header_layout(preset, first, head)
        if layout is not None:
            return Reading(preset, layout, first.record.line)
    return None


def candidates(preset: Preset, head: Head) -> Iterator[First]:
    """The records that may be the header."""
    yield from head.firsts(preset)
    if preset.has_preamble and head.options.header_line is None:
        yield from head.preamble(preset)


def headerless_layout(preset: Preset, first: First, head: Head) -> Layout | None:
    """The layout of a file whose first record is data: song, a valid date, a valid count."""
    options = head.options
    if preset is not DEFAULT or options.key != ("song",) or options.header_line is not None:
        return None
    fields = list(first.fields)
    while fields and not fields[-1]:
        fields.pop()
    is_one = options.plays == "one"
    if len(fields) != (2 if is_one else 3):
        return None
    if not is_date(fields[1], options.date_format or preset.date_format):
        return None
    if not is_one and not is_plays(fields[2], options.thousands):
        return None
    at = {"song": 0, "date": 1} | ({} if is_one else {"plays": 2})
    place = Place(first.record.extent.start, first.record.line, head.has_cr_ends)
    layout = layout_of(preset, options, first.delimiter, len(fields), at, place)
    return replace(layout, skipped=first.skipped)


def header_layout(preset: Preset, first: First, head: Head) -> Layout | None:
    """The layout under the header `first`; None where it misses a column. Raises AggregationError
    `duplicate_column`.
    """
    at = preset.positions(first.keys, head.options)
    if any(role not in at for role in preset.wanted(head.options)):
        return None
    for index in at.values():
        if first.keys.count(first.keys[index]) > 1:
            name, found = shown(first.names[index]), first.shown_names
            raise failure("duplicate_column", head.source, wanted=name, found=found)
    extent = first.record.extent
    place = Place(extent.next, first.record.next_line, head.has_cr_ends)
    layout = layout_of(preset, head.options, first.delimiter, len(first.fields), at, place)
    header = head.data[extent.start : extent.stop]
    return replace(layout, skipped=first.skipped, header=header)
