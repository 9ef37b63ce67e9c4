"""The whole run: totals, rejects, summary, or the error that it ends with."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bmat.aggregation.tests.oracle.header import (
    Failed,
    Options,
    Preamble,
    check_options,
    read_preamble,
    utf8_of,
)
from bmat.aggregation.tests.oracle.records import (
    Record,
    line_end,
    lines_in,
    read_record,
    without_marks,
)
from bmat.aggregation.tests.oracle.values import LARGEST_PLAYS, day_of, is_utf8, plays_of

COLUMNS = {
    "song": b"Song",
    "artist": b"Artist",
    "isrc": b"ISRC",
    "territory": b"Territory",
    "service": b"Service",
}
TOTALS_COLUMNS = [b"Date", b"Total Number of Plays for Date"]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LISTED_REJECTS = 1_000_000
LISTED_BYTES = 1024
TOP_SONGS = 100
EXAMPLES, EXAMPLE_LENGTH = 5, 200

# The fields of the key, and the day.
Key = tuple[tuple[bytes, ...], str]
Row = tuple[Key, int]


@dataclass(frozen=True)
class Verdict:
    """The bytes of the totals and of the rejects file, and the summary."""

    totals: bytes
    rejects: bytes
    summary: dict[str, Any]


@dataclass(frozen=True)
class Reject:
    file: int
    line: int
    reason: str
    record: bytes


def judge(inputs: Sequence[bytes], names: Sequence[str], options: Options = Options()) -> Verdict:
    """What a run over `inputs`, whose paths are `names`, comes to. Raises Failed."""
    check_options(options)
    texts = [utf8_of(data, options.encoding) for data in inputs]
    preambles = [read_preamble(text, options, file) for file, text in enumerate(texts)]
    rows: list[Row] = []
    rejects: list[Reject] = []
    read: list[dict[str, Any]] = []
    for file, (text, preamble) in enumerate(zip(texts, preambles, strict=True)):
        rows_before, rejects_before = len(rows), len(rejects)
        for line, record in records_of(text, preamble):
            found = row_of(text, record, preamble, options)
            if isinstance(found, tuple):
                rows.append(found)
                continue
            if options.strict:
                raise Failed("strict_violation", file, (f"Line {line} ", f"({found})"))
            rejects.append(Reject(file, line, found, text[record.start : record.stop]))
        own, rejected = rows[rows_before:], len(rejects) - rejects_before
        read.append(input_of(names[file], text, preamble, own, rejected))
    totals = totals_of(rows)
    check_overflow(totals)
    if rejects and not rows:
        raise no_valid_rows(rejects, rejects_file(rejects, names))
    summary = summary_of(rows, rejects, totals, options) | {
        "inputs": read,
        "bytes_read": sum(map(len, texts)),
    }
    return Verdict(totals_file(totals, options), rejects_file(rejects, names), summary)


def input_of(
    name: str, text: bytes, preamble: Preamble, rows: Sequence[Row], rejected: int
) -> dict[str, Any]:
    """How an input was read, and what was found in it."""
    return {
        "name": name,
        "bytes_read": len(text),
        "rows_read": len(rows) + rejected,
        "rows_counted": len(rows),
        "rows_rejected": rejected,
        "rows_left_out": 0,
        "plays": sum(plays for _, plays in rows),
        "preset": "default",
        "delimiter": preamble.dialect.delimiter.decode(),
        "header_line": preamble.header_line,
    }


def records_of(text: bytes, preamble: Preamble) -> Iterator[tuple[int, Record]]:
    """Each record of an input with its line; the header is not one."""
    yield from preamble.skipped
    position, line, dialect = preamble.start, preamble.line, preamble.dialect
    while True:
        position = without_marks(text, position)
        if position == len(text):
            return
        end = line_end(text, position, dialect.has_old_ends)
        if end:
            position, line = position + len(end), line + 1
            continue
        record = read_record(text, position, dialect)
        yield line, record
        line += lines_in(text[position : record.following], dialect.has_old_ends)
        position = record.following


def row_of(text: bytes, record: Record, preamble: Preamble, options: Options) -> Row | str:
    """The key, day and plays of a record, or why it is rejected."""
    if record.fault is not None:
        return record.fault
    found = judged(record, preamble, options)
    written = text[record.start : record.stop]
    if isinstance(found, str) and preamble.header and written == preamble.header:
        return "repeated_header"
    return found


def judged(record: Record, preamble: Preamble, options: Options) -> Row | str:
    fields, columns, bounds = record.fields, preamble.columns, options.bounds
    if record.stop - record.start > bounds.record:
        return "too_long"
    if record.strays:
        return "stray_carriage_return"
    if any(fields[preamble.width :]):
        return "extra_field"
    if len(fields) <= max(columns.values()):
        return "missing_field"
    key = tuple(fields[columns[role]] for role in options.key)
    if not any(key) or ("song" in options.key and not fields[columns["song"]]):
        return "empty_song"
    if len(b" ".join(key)) > bounds.song:
        return "too_long"
    if any(0 in field for field in key):
        return "invalid_character"
    if not all(map(is_utf8, key)):
        return "invalid_encoding"
    day = day_of(fields[columns["date"]], options.date_format)
    if day is None:
        return "invalid_date"
    plays = plays_of(fields[columns["plays"]], options.thousands) if "plays" in columns else 1
    return plays if isinstance(plays, str) else ((key, day), plays)


def no_valid_rows(rejects: list[Reject], listed: bytes) -> Failed:
    counts = Counter(reject.reason for reject in rejects)
    facts = [f"{count} {reason}" for reason, count in counts.items()]
    first = (f"line {rejects[0].line}", f"({rejects[0].reason})")
    return Failed("no_valid_rows", None, (f"all {len(rejects)} ", *facts, *first), listed)


def totals_of(rows: list[Row]) -> dict[Key, int]:
    """The totals, sorted by song and date."""
    totals: dict[Key, int] = {}
    for key, plays in rows:
        totals[key] = totals.get(key, 0) + plays
    return dict(sorted(totals.items()))


def check_overflow(totals: dict[Key, int]) -> None:
    for (_, day), plays in totals.items():
        if plays > LARGEST_PLAYS:
            raise Failed("plays_overflow", None, (f"on {day} is {plays},",))


def totals_file(totals: dict[Key, int], options: Options) -> bytes:
    header = [*(COLUMNS[role] for role in options.key), *TOTALS_COLUMNS]
    lines = [
        b",".join([*map(key_field, key), day.encode(), b"%d" % plays]) + b"\n"
        for (key, day), plays in totals.items()
    ]
    return b",".join(header) + b"\n" + b"".join(lines)


def rejects_file(rejects: list[Reject], names: Sequence[str]) -> bytes:
    lines = []
    for reject in rejects[:LISTED_REJECTS]:
        text = reject.record[:LISTED_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
        line = b"%d,%s,%s\n" % (reject.line, reject.reason.encode(), csv_field(text.encode()))
        if len(names) > 1:
            line = csv_field(names[reject.file].encode()) + b"," + line
        lines.append(line)
    header = b"Line,Reason,Record\n"
    return (b"File," if len(names) > 1 else b"") + header + b"".join(lines)


def key_field(value: bytes) -> bytes:
    """The same for a field of a key: what would be a byte order mark is in quotes."""
    field = csv_field(value)
    return b'"' + field + b'"' if field.startswith(BYTE_ORDER_MARK) else field


def csv_field(value: bytes) -> bytes:
    """The value, quoted where it must be."""
    special = any(byte in value for byte in b',"\r\n')
    return b'"' + value.replace(b'"', b'""') + b'"' if special else value


def summary_of(
    rows: list[Row], rejects: list[Reject], totals: dict[Key, int], options: Options
) -> dict[str, Any]:
    by_key: Counter[tuple[bytes, ...]] = Counter()
    by_day: Counter[str] = Counter()
    for (key, day), plays in totals.items():
        by_key[key] += plays
        by_day[day] += plays
    top = sorted(by_key.items(), key=lambda item: (-item[1], item[0]))[:TOP_SONGS]
    return {
        "rows_read": len(rows) + len(rejects),
        "rows_counted": len(rows),
        "rows_rejected": len(rejects),
        "rows_left_out": 0,
        "groups": len(totals),
        "plays_total": sum(totals.values()),
        "rejects_by_reason": dict(sorted(Counter(one.reason for one in rejects).items())),
        "left_out_by_reason": {},
        "rejects_sample": sample_of(rejects),
        "group_by": options.key,
        "first_day": min(by_day, default=None),
        "last_day": max(by_day, default=None),
        "top_songs": [
            dict(zip(options.key, (field.decode() for field in key), strict=True))
            | {"plays": plays}
            for key, plays in top
        ],
        "plays_by_day": {day: plays for day, plays in sorted(by_day.items()) if plays},
    }


def sample_of(rejects: list[Reject]) -> dict[str, list[tuple[int, int, str]]]:
    """The first rejects of each reason: the file, the line, the record."""
    sample: dict[str, list[tuple[int, int, str]]] = {}
    for reject in rejects[:LISTED_REJECTS]:
        examples = sample.setdefault(reject.reason, [])
        if len(examples) < EXAMPLES:
            text = reject.record[:LISTED_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
            examples.append((reject.file, reject.line, text[:EXAMPLE_LENGTH]))
    return dict(sorted(sample.items()))
