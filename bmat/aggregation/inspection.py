"""What would be read of an input: told from its first bytes, by the code that reads the whole."""

import math
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TypeVar

from bmat.aggregation.errors import AggregationError, InspectionTooSlow
from bmat.aggregation.options import InputFile, Limits, Options
from bmat.aggregation.progress import Progress, ProgressMeter
from bmat.aggregation.read.record import records_in
from bmat.aggregation.results import (
    ColumnsNotFound,
    InspectedColumn,
    InspectedRecord,
    Inspection,
    Record,
)
from bmat.aggregation.source.encoding import source_encoding
from bmat.aggregation.source.header import Misfit, read_header
from bmat.aggregation.source.json_records import FIRST_FIELD, original_of
from bmat.aggregation.source.layout import Layout, Source
from bmat.aggregation.source.open import UTF_8, open_source
from bmat.aggregation.source.origin import STANDARD_INPUT
from bmat.aggregation.source.records import Dialect, record_at, records_from
from bmat.aggregation.source.signatures import packed_in
from bmat.aggregation.source.unreadable import nearest_first
from bmat.aggregation.write.summary import date_text, fields_of_key

INSPECTED_BYTES = 2**16
INSPECTED_RECORDS = 20
# Of an archive no more is unpacked. A workbook may take some memory.
MOST_TEXT_BYTES = 2**21
LIMITS = Limits(memory_budget_bytes=2**28)
T = TypeVar("T")
LINE_ENDS = {b"\r\r\n": "CRCRLF", b"\r\n": "CRLF", b"\n": "LF"}


def inspect(
    given: Path | InputFile, options: Options, most_seconds: float = math.inf
) -> Inspection:
    """How an input (`-`: standard input) would be read: its first INSPECTED_BYTES are looked at,
    and its first INSPECTED_RECORDS shown. Of an archive it is the text inside, of several files
    there the first one, which is looked at; a workbook is opened whole.

    Raises AggregationError where the run would, for the same reason, before its first record:
    ColumnsNotFound where the header lacks columns; InspectionTooSlow after `most_seconds`, which a
    large workbook may take; and OSError.
    """
    path, name = (given.path, given.name) if isinstance(given, InputFile) else (given, "")
    with TemporaryDirectory(prefix=".bmat-inspect-") as temporary:
        folder = Path(temporary)
        with sys.stdin.buffer if path == STANDARD_INPUT else path.open("rb") as file:
            head = file.read(INSPECTED_BYTES)
        # Whoever has cut the file before may have sent no more than is looked at.
        is_cut = len(head) == INSPECTED_BYTES
        begin = folder / "head"
        if is_cut and packed_in(head) is not None and path.is_file():
            # Of what is packed the end may be needed, and the first bytes may say nothing.
            begin, is_cut = path, path.stat().st_size == INSPECTED_BYTES
        else:
            begin.write_bytes(head)
        meter = ProgressMeter(listener_until(monotonic() + most_seconds))
        try:
            source = open_source(
                begin,
                options,
                folder / "utf8",
                meter,
                limits=LIMITS,
                is_whole=not is_cut,
                most_bytes=MOST_TEXT_BYTES,
                name=name or str(path),
            )
        except AggregationError as error:
            raise as_seen(error, path, folder, options, is_cut=is_cut) from error
        is_cut = is_cut or source.input_bytes >= MOST_TEXT_BYTES
        text = source.path.read_bytes()
        records = inspected_records(source, text, options, is_cut=is_cut)
    layout, read_as = source.layout, source.read_as
    return Inspection(
        preset=read_as.preset,
        encoding=read_as.encoding,
        delimiter=read_as.delimiter,
        line_end=line_end_name(text, has_cr_ends=layout.has_cr_ends),
        header_line=read_as.header_line,
        columns=columns_of(source, options),
        records=records,
        is_cut=is_cut,
    )


def listener_until(deadline: float) -> Callable[[Progress], None]:
    """What ends an inspection that goes on for longer."""

    def listen(_: Progress) -> None:
        if monotonic() > deadline:
            raise InspectionTooSlow

    return listen


def as_seen(
    error: AggregationError, path: Path, folder: Path, options: Options, *, is_cut: bool
) -> AggregationError:
    """The error about the head of the input in `folder` as one about the input at `path`."""
    if error.code == "missing_column":
        # The text is in a file of its own where the input is packed, or not UTF-8.
        begin, readable = folder / "head", folder / "utf8"
        head = begin.read_bytes() if begin.exists() else b""
        text = readable.read_bytes() if readable.exists() else head
        found = read_header(text, options, path)
        if isinstance(found, Misfit):
            seen = ColumnsNotFound(error.code, error.message, path)
            encoding = source_encoding(head, options) or UTF_8
            seen.inspection = inspected_misfit(found, text, encoding, is_cut=is_cut)
            return seen
    return AggregationError(error.code, error.message, path)


def inspected_misfit(misfit: Misfit, text: bytes, encoding: str, *, is_cut: bool) -> Inspection:
    """What there is in a text of which the preset does not find all columns."""
    head, preset = misfit.head, misfit.preset
    first = nearest_first(preset, head)
    # Without a record that may be the header it would be no text.
    assert first is not None
    dialect = head.dialect(first.delimiter, is_quoted=head.is_quoted(preset))
    record, options = first.record, head.options
    behind = records_from(text, record.extent.next, record.next_line, dialect)
    records = first_of(behind, is_cut=is_cut) if first.fields else []
    roles = {index: role for role, index in preset.positions(first.keys, options).items()}
    return Inspection(
        preset=preset.name,
        encoding=encoding,
        delimiter=first.delimiter.decode(),
        line_end=line_end_name(text, has_cr_ends=head.has_cr_ends),
        header_line=record.line,
        columns=[InspectedColumn(name, roles.get(at)) for at, name in enumerate(first.names)],
        records=[
            InspectedRecord(one.line, texts_of(one.fields), None, None, None, one.fault)
            for one in records
        ],
        is_cut=is_cut,
    )


def inspected_records(
    source: Source, text: bytes, options: Options, *, is_cut: bool
) -> list[InspectedRecord]:
    """The first records of a source with this text; of one that is cut none that it cuts."""
    layout, is_json = source.layout, source.json is not None
    data = text[layout.data_start :]
    # JSON is turned into whole records, of which the last one may be what was cut.
    found = records_in(data, layout, layout.first_line, is_last=is_json or not is_cut)
    records = first_of(found, is_cut=is_json and is_cut)
    shown = [inspected(record, source, options) for record in records]
    return [*rejected_before(layout, text), *shown][:INSPECTED_RECORDS]


def first_of(records: Iterator[T], *, is_cut: bool) -> list[T]:
    """The first INSPECTED_RECORDS; where they are cut, not the last one that there is."""
    found = list(islice(records, INSPECTED_RECORDS + 1))
    if is_cut and len(found) <= INSPECTED_RECORDS:
        del found[-1:]
    return found[:INSPECTED_RECORDS]


def rejected_before(layout: Layout, text: bytes) -> Iterator[InspectedRecord]:
    """The records in front of the header, all of which are rejected."""
    for line, extent, reason in layout.skipped:
        record = text[extent.start : extent.stop].decode("utf-8", "replace")
        yield InspectedRecord(line, [record], key=None, date=None, plays=None, reason=reason)


def inspected(record: Record, source: Source, options: Options) -> InspectedRecord:
    """A record for a person."""
    line, text = source.line_of(record.line), record.text
    fields = fields_of(text, source.layout)
    if source.json is not None:
        with source.json.path.open("rb") as file:
            original = original_of(source.json, file, record.reason or "", record.text)
        # Of what is left out, no fields are written.
        line, text, fields = original.line, original.record, fields[FIRST_FIELD:]
    counts = record.reason is None
    return InspectedRecord(
        line=line,
        fields=fields or [text.decode("utf-8", "replace")],
        key=fields_of_key(record.key, options.key) if counts else None,
        date=date_text(record.day) if counts else None,
        plays=record.plays if counts else None,
        reason=record.reason,
    )


def fields_of(text: bytes, layout: Layout) -> list[str]:
    """The fields of the record with this text; none where its quotes are wrong."""
    dialect = Dialect(layout.delimiter, layout.is_quoted, layout.has_cr_ends, layout.bounds)
    return texts_of(record_at(text, 0, 1, dialect).fields)


def texts_of(fields: list[bytes]) -> list[str]:
    return [field.decode("utf-8", "replace") for field in fields]


def line_end_name(text: bytes, *, has_cr_ends: bool) -> str:
    """The name of the first line end."""
    if has_cr_ends:
        return "CR"
    line = text[: text.find(b"\n") + 1]
    return next((name for end, name in LINE_ENDS.items() if line.endswith(end)), "LF")


def columns_of(source: Source, options: Options) -> list[InspectedColumn]:
    """The columns, by their names in the header; where there is none, by their numbers, from 1; of
    JSON those that are read.
    """
    layout = source.layout
    roles = dict(zip(layout.key, options.key, strict=True))
    for column, role in ((layout.date, "date"), (layout.plays, "plays")):
        if column is not None:
            roles[column] = role
    if source.json is not None:
        return [InspectedColumn(role, role) for _, role in sorted(roles.items())]
    names = [str(number) for number in range(1, max(roles) + 2)]
    if layout.header:
        names = fields_of(layout.header, layout)
    return [InspectedColumn(name, roles.get(index)) for index, name in enumerate(names)]
