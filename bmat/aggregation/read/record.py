"""How records are laid out, as the kernels have it; and one record after another, judged as the
kernels judge those of a block.
"""

import os
from collections.abc import Iterator

import numpy as np

from bmat.aggregation.kernels.arrays import (
    CLEAN_KEYS,
    CLEAN_SONGS,
    NO_CLEAN,
    FoundFields,
    RecordLayout,
    RecordRules,
    RecordVerdict,
    padded_bytes,
    padded_copy,
)
from bmat.aggregation.kernels.fields import DATE_FORMATS, MONTH_STARTS
from bmat.aggregation.kernels.judge import REASONS
from bmat.aggregation.kernels.parse import read_record
from bmat.aggregation.results import Record
from bmat.aggregation.source.layout import Layout, Source

# The last record of an input is looked for in so many bytes.
LAST_BYTES = 2**13


def record_layout(layout: Layout) -> RecordLayout:
    """The layout as the kernels have it. The records of some are never clean: see `clean`."""
    bounds = layout.bounds
    is_plain = layout.date is not None and layout.plays is not None and layout.filter is None
    is_plain = is_plain and layout.date_format == "iso"
    clean = NO_CLEAN
    if is_plain and layout.is_quoted and not layout.has_cr_ends:
        clean = CLEAN_SONGS if len(layout.key) == 1 else CLEAN_KEYS
    return RecordLayout(
        delimiter=layout.delimiter[0],
        field_count=layout.field_count,
        song=layout.key[0],
        date=layout.date or 0,
        plays=layout.plays or 0,
        most_record=bounds.record,
        most_quoted=bounds.quoted_field,
        most_song=bounds.song,
        clean=clean,
    )


def record_rules(layout: Layout) -> RecordRules:
    """The rules for records that are not clean."""
    kept = layout.filter
    columns = [*layout.key]
    numbers = {}
    for name, column in (
        ("date", layout.date),
        ("plays", layout.plays),
        ("filter", kept.column if kept else None),
    ):
        if column is not None and column not in columns:
            columns.append(column)
        numbers[name] = -1 if column is None else columns.index(column)
    slots = np.full(max(columns) + 1, -1, dtype=np.int32)
    slots[columns] = np.arange(len(columns))
    return RecordRules(
        slots=slots,
        key_fields=len(layout.key),
        song=-1 if layout.song is None else layout.key.index(layout.song),
        date=numbers["date"],
        fixed_day=layout.fixed_day or 0,
        plays=numbers["plays"],
        filter=numbers["filter"],
        filter_column=kept.column if kept else 0,
        filter_text=padded_copy(kept.text if kept else b""),
        filter_bytes=len(kept.text) if kept else 0,
        is_prefix=int(kept.is_prefix) if kept else 0,
        filter_reason=REASONS.index(kept.reason) if kept else 0,
        extra_reason=REASONS.index(layout.extra_reason),
        date_format=DATE_FORMATS.index(layout.date_format),
        thousands=ord(" " if layout.thousands == "space" else layout.thousands or "\0"),
        is_quoted=int(layout.is_quoted),
        has_cr_ends=int(layout.has_cr_ends),
        header=padded_copy(layout.header),
        header_bytes=len(layout.header),
    )


def records_in(data: bytes, layout: Layout, line: int, *, is_last: bool) -> Iterator[Record]:
    """The records of `data`, which starts on physical line `line`; `is_last`: the file ends with
    it, else a record that does not end in it is left out.
    """
    scratch = len(data) + 64
    buffer = padded_bytes(2 * scratch)
    buffer[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    verdict, found = RecordVerdict.new(), FoundFields.new()
    verdict.line = line
    layout_tuple, rules = record_layout(layout), record_rules(layout)
    while read_record(
        buffer,
        len(data),
        is_last,
        found,
        layout_tuple,
        rules,
        scratch,
        MONTH_STARTS,
        verdict,
    ):
        reason = int(verdict.reason)
        key = buffer[verdict.key : verdict.key + verdict.key_bytes].tobytes()
        yield Record(
            line=int(verdict.line),
            text=data[int(verdict.start) : int(found.stop)],
            reason=REASONS[reason] if reason >= 0 else None,
            key=key,
            day=int(verdict.day),
            plays=int(verdict.plays),
        )
        verdict.next = found.next
        verdict.line += found.lines


def last_record(source: Source) -> Record | None:
    """The last record of an input, if it counts, and is one short line."""
    start = max(source.layout.data_start, source.size - LAST_BYTES)
    with source.path.open("rb") as file:
        data = os.pread(file.fileno(), LAST_BYTES, start)
    text = data.rstrip(b"\r\n")
    line_start = text.rfind(source.layout.line_end) + 1
    if not line_start and start > source.layout.data_start:
        return None
    records = list(records_in(text[line_start:], source.layout, 1, is_last=True))
    return records[-1] if records and records[-1].reason is None else None
