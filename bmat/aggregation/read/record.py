"""One record after another, judged as the kernels judge those of a block."""

from collections.abc import Iterator

import numpy as np

from bmat.aggregation.kernels.arrays import (
    FoundFields,
    RecordVerdict,
    padded_bytes,
)
from bmat.aggregation.kernels.fields import MONTH_STARTS
from bmat.aggregation.kernels.judge import REASONS
from bmat.aggregation.kernels.parse import read_record
from bmat.aggregation.read.dialect import record_layout, record_rules
from bmat.aggregation.results import Record
from bmat.aggregation.source.layout import Layout, Source
from bmat.aggregation.source.text import open_text

# The last record of an input is looked for in so many bytes.
LAST_BYTES = 2**13


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
    start = max(source.layout.data_start, source.text_bytes - LAST_BYTES)
    with open_text(source) as whole:
        data = whole.read(LAST_BYTES, start)
    text = data.rstrip(b"\r\n")
    line_start = text.rfind(source.layout.line_end) + 1
    if not line_start and start > source.layout.data_start:
        return None
    records = list(records_in(text[line_start:], source.layout, 1, is_last=True))
    return records[-1] if records and records[-1].reason is None else None
