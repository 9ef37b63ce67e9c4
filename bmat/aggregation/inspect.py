"""What would be read of an input, told from its first bytes by the code that reads the whole of it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from bmat.aggregation.options import Options
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.read.record import records_in
from bmat.aggregation.source.open import open_source

INSPECTED_BYTES = 2**16
INSPECTED_RECORDS = 20
LINE_ENDS = {b"\r\r\n": "CRCRLF", b"\r\n": "CRLF", b"\n": "LF"}


@dataclass(frozen=True)
class InspectedColumn:
    """A column by its name in the header, and what it is read as: a role of the key, `date`,
    `plays`, or None.
    """

    name: str
    role: str | None


@dataclass(frozen=True)
class InspectedRecord:
    """A record as it will be counted or not: its physical line and its fields; the key's fields by
    their roles, the date and the plays, unless there is a `reason` why it is rejected or left out.
    """

    line: int
    fields: list[str]
    key: dict[str, str] | None
    date: str | None
    plays: int | None
    reason: str | None


@dataclass(frozen=True)
class Inspection:
    """How an input would be read. `line_end` is `LF`, `CRLF`, `CRCRLF` or `CR`, `header_line` 0 without a header;
    `is_cut`: there is more of it than was looked at.
    """

    preset: str
    encoding: str
    delimiter: str
    line_end: str
    header_line: int
    columns: list[InspectedColumn]
    records: list[InspectedRecord]
    is_cut: bool


def inspect(path: Path, options: Options) -> Inspection:
    """How the file at `path` would be read: its first INSPECTED_BYTES are looked at, and its first
    INSPECTED_RECORDS shown.

    Raises AggregationError where the run would, for the same reason, before its first record.
    """
    with TemporaryDirectory(prefix=".bmat-inspect-") as name:
        folder = Path(name)
        with path.open("rb") as file:
            head = file.read(INSPECTED_BYTES)
            is_cut = bool(file.read(1)) or len(head) == INSPECTED_BYTES
        begin = folder / "head"
        begin.write_bytes(head)
        source = open_source(
            begin, options, folder / "utf8", ProgressMeter(None), is_whole=not is_cut
        )
        with source.path.open("rb") as file:
            file.seek(source.layout.data_start)
            data = file.read()
    layout = source.layout
    records = []
    for record in records_in(data, layout, layout.first_line, is_last=not is_cut):
        if len(records) == INSPECTED_RECORDS:
            break
        records.append(inspected(record, layout, options))
    read_as = source.read_as
    return Inspection(
        preset=read_as.preset,
        encoding=read_as.encoding,
        delimiter=read_as.delimiter,
        line_end=line_end_of(head_text(source)),
        header_line=read_as.header_line,
        columns=columns_of(layout, options),
        records=records,
        is_cut=is_cut,
    )
