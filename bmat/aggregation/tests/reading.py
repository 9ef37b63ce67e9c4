"""Reads a file as its layout says, with Python's csv module and nothing of the engine."""

import csv
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.options import Options
from bmat.aggregation.source.layout import Layout
from bmat.aggregation.source.opened import Opened
from bmat.aggregation.source.presets import by_name, recognised_head
from bmat.aggregation.source.readers import open_special

SAMPLES = Path(__file__).parent / "presets"


class Read(NamedTuple):
    """What a file holds: `plays` are (fields of the key, date, count) as they are written,
    `left_out` are the records that do not count.
    """

    opened: Opened
    plays: list[tuple[str, ...]]
    left_out: int


def opened(path: Path, **given: object) -> Opened:
    """The file, opened under the preset that it is recognised as, or that is given."""
    options = Options(**given)  # type: ignore[arg-type]
    name = options.preset
    preset = by_name(name) if name else recognised_head(path.read_bytes())
    assert preset is not None
    return open_special(preset, path, path.with_suffix(".made"), path, options, lambda done: None)


def read(path: Path, **given: object) -> Read:
    """All records of a file without an ordinary header."""
    file = opened(path, **given)
    return records(file, file.layout)


def records(file: Opened, layout: Layout) -> Read:
    plays, left_out = [], 0
    for record in split(file.path.read_bytes()[layout.data_start :], layout):
        kept = layout.filter
        if kept is not None:
            value, text = record[kept.column].encode("utf-8", "surrogateescape"), kept.text
            if not (value.startswith(text) if kept.is_prefix else value == text):
                left_out += 1
                continue
        plays.append(played(record, layout))
    return Read(file, plays, left_out)


def split(data: bytes, layout: Layout) -> Iterator[list[str]]:
    text, delimiter = data.decode("utf-8", "surrogateescape"), layout.delimiter.decode()
    if layout.is_quoted:
        lines = re.findall("[^\n]*\n|[^\n]+", text)
        yield from (record for record in csv.reader(lines, delimiter=delimiter) if record)
    else:
        yield from (line.split(delimiter) for line in re.split("\r*\n", text) if line)


def played(record: list[str], layout: Layout) -> tuple[str, ...]:
    day = "" if layout.fixed_day is None else str(date.min + timedelta(days=layout.fixed_day))
    if layout.date is not None:
        day = record[layout.date]
    count = "1" if layout.plays is None else record[layout.plays]
    return *(record[field] for field in layout.key), day, count
