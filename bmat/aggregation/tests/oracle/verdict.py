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
    LARGEST_PLAYS,
    Bounds,
    Record,
    date_reason,
    plays_of,
    plays_reason,
    read_record,
    song_reason,
)

TOTALS_HEADER = b"Song,Date,Total Number of Plays for Date\n"
LISTED_REJECTS = 1_000_000
LISTED_BYTES = 1024
TOP_SONGS = 100

Key = tuple[bytes, str]
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
    for file, (text, preamble) in enumerate(zip(texts, preambles, strict=True)):
        for line, record in records_of(text, preamble, options.bounds):
            found = row_of(record, preamble, options.bounds)
            if isinstance(found, tuple):
                rows.append(found)
                continue
            if options.strict:
                raise Failed("strict_violation", file, (f"Line {line} ", f"({found})"))
            rejects.append(Reject(file, line, found, text[record.start : record.stop]))
    if not rows:
        raise no_valid_rows(rejects)
    totals = totals_of(rows)
    check_overflow(totals)
    summary = summary_of(rows, rejects, totals, sum(map(len, texts)))
    return Verdict(totals_file(totals), rejects_file(rejects, names), summary)


def records_of(text: bytes, preamble: Preamble, bounds: Bounds) -> Iterator[tuple[int, Record]]:
    """Each record of an input with its line; the header is not one."""
    yield from preamble.skipped
    position, line = preamble.start, preamble.line
    while position < len(text):
        record = read_record(text, position, preamble.delimiter, bounds)
        if record.stop > position:
            yield line, record
        line += text[position : record.following].count(b"\n")
        position = record.following


def row_of(record: Record, preamble: Preamble, bounds: Bounds) -> Row | str:
    """The song, day and plays of a record, or why it is rejected."""
    if record.fields is None:
        return "unterminated_quote"
    if record.stop - record.start > bounds.record:
        return "too_long"
    if len(record.fields) > preamble.width:
        return "extra_field"
    if len(record.fields) <= max(preamble.columns):
        return "missing_field"
    song, day, plays = (record.fields[column] for column in preamble.columns)
    reason = song_reason(song, bounds) or date_reason(day) or plays_reason(plays)
    if reason is not None:
        return reason
    return (song, day[:10].decode()), plays_of(plays.decode())


def no_valid_rows(rejects: list[Reject]) -> Failed:
    if not rejects:
        return Failed("no_valid_rows")
    counts = Counter(reject.reason for reject in rejects)
    facts = [f"{count} {reason}" for reason, count in counts.items()]
    first = f"line {rejects[0].line} ({rejects[0].reason})"
    return Failed("no_valid_rows", None, (f"all {len(rejects)} ", *facts, first))


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


def totals_file(totals: dict[Key, int]) -> bytes:
    lines = [
        b"%s,%s,%d\n" % (csv_field(song), day.encode(), plays)
        for (song, day), plays in totals.items()
    ]
    return TOTALS_HEADER + b"".join(lines)


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


def csv_field(value: bytes) -> bytes:
    """The value, quoted where it must be."""
    special = any(byte in value for byte in b',"\r\n')
    return b'"' + value.replace(b'"', b'""') + b'"' if special else value


def summary_of(
    rows: list[Row], rejects: list[Reject], totals: dict[Key, int], bytes_read: int
) -> dict[str, Any]:
    by_song: Counter[bytes] = Counter()
    by_day: Counter[str] = Counter()
    for (song, day), plays in totals.items():
        by_song[song] += plays
        by_day[day] += plays
    top = sorted(by_song.items(), key=lambda item: (-item[1], item[0]))[:TOP_SONGS]
    return {
        "rows_read": len(rows) + len(rejects),
        "rows_counted": len(rows),
        "rows_rejected": len(rejects),
        "groups": len(totals),
        "plays_total": sum(totals.values()),
        "rejects_by_reason": dict(sorted(Counter(one.reason for one in rejects).items())),
        "bytes_read": bytes_read,
        "first_day": min(by_day),
        "last_day": max(by_day),
        "top_songs": [{"song": song.decode(), "plays": plays} for song, plays in top],
        "plays_by_day": {day: plays for day, plays in sorted(by_day.items()) if plays},
    }
