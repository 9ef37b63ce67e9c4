"""How the records of a file are laid out, as the kernels have it."""

import numpy as np

from bmat.aggregation.kernels.arrays import (
    CLEAN_KEYS,
    CLEAN_SONGS,
    NO_CLEAN,
    RecordLayout,
    RecordRules,
    padded_copy,
)
from bmat.aggregation.kernels.fields import DATE_FORMATS
from bmat.aggregation.kernels.judge import REASONS
from bmat.aggregation.source.layout import Layout


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
