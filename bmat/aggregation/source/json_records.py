"""JSON, turned into a file of tab separated records that is read like any other.

A record of that file begins with two fields of its own: `start:stop:line`, where its JSON lies in
the original, and what the filter looks at, `1` or, of what is no play, `0`. Then come the fields
that are read. What cannot be counted is written so that its record is rejected, for its reason:

* without a field that it needs: a third field, the last one, is the path of that (`missing_field`);
* no JSON object: one field too many, as no other record has (`extra_field`, which is told as
  `malformed_json`);
* too long: a key that is too long (`too_long`).
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from bmat.aggregation.errors import failure
from bmat.aggregation.options import Options
from bmat.aggregation.progress import OnRead
from bmat.aggregation.source.json_text import Fault, Found, Number, records_of
from bmat.aggregation.source.layout import Filter, JSONOrigin, Layout
from bmat.aggregation.source.looks import known_format, without_mark
from bmat.aggregation.source.opened import Opened, head_of, refuse
from bmat.aggregation.source.origin import LocalFile, counted
from bmat.aggregation.source.preset import Preset

Record = dict[str, Any]

EXTENT_FIELD, FILTER_FIELD = 0, 1
# The first field that is of the record itself; or the path of the one that it lacks.
FIRST_FIELD = 2
COUNTS, LEFT_OUT = "1", "0"
# Written where a field is of a type that no date and no count has.
INVALID = "?"
LINES_AT_ONCE = 4096
# Of a rejected record so much is shown.
SHOWN_BYTES = 1024
# A line on which an object or an array may begin; or nothing but white space.
JSON_LINE = re.compile(
    rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?[ \t]*+[{\[]|\A(?:\xef\xbb\xbf)?[ \t\r\n]*+\Z"
)


class Field(NamedTuple):
    """A field that is read: where it may be, and whether a record without it is rejected."""

    paths: tuple[tuple[str, ...], ...]
    name: str
    is_needed: bool


def open_json(
    preset: Preset, readable: Path, target: Path, options: Options, source: Path, on_read: OnRead
) -> Opened:
    """Writes the records to `target`. Raises AggregationError `missing_column` where the file is no
    JSON, or the format has no such field; `not_text`, and `invalid_option`.
    """
    refuse(preset, options, "delimiter", "quoting", "header_line")
    check(head_of(readable).data, preset, source)
    # Whether a record without a song is a play is asked whatever the key is.
    roles = {*preset.wanted(options), "song"}
    fields = {role: field_of(preset, role, options, source) for role in roles}
    conversion = Conversion(preset, options, fields)
    with closing(LocalFile(source, readable).chunks()) as chunks, target.open("wb") as out:
        records = records_of(counted(chunks, on_read), options.bounds.record)
        lines = conversion.lines(records)
        while some := "".join(islice(lines, LINES_AT_ONCE)):
            # A lone surrogate becomes bytes that are no UTF-8.
            out.write(some.encode("utf-8", "surrogatepass"))
    origin = JSONOrigin(readable, paths_of(fields, options))
    return Opened(target, conversion.layout, preset.are_periods, json=origin)


def check(head: bytes, preset: Preset, source: Path) -> None:
    """Raises AggregationError `not_text` or `missing_column` where no line of a file that begins
    with `head` may begin JSON: each would be rejected by itself.
    """
    is_json = JSON_LINE.search(head) is not None
    known = without_mark(head) if is_json else known_format(head)
    if known is not None:
        raise failure("not_text", source, looks_like=known.name, advice=known.advice)
    if not is_json:
        raise preset.misfit("none of its first lines is JSON", source)


def field_of(preset: Preset, role: str, options: Options, source: Path) -> Field:
    names = preset.names(role, options)
    if not names:
        raise preset.without(role, options, source)
    paths = tuple(tuple(name.split(".")) for name in names)
    return Field(paths, " or ".join(names), role in ("song", "date", "plays", "filter"))


def paths_of(fields: dict[str, Field], options: Options) -> dict[str, str]:
    """Which field a reason is about. That of `missing_field` is in the record itself."""
    key = ", ".join(fields[role].name for role in options.key)
    paths = dict.fromkeys(("empty_song", "too_long", "invalid_character", "invalid_encoding"), key)
    if "plays" in fields:
        paths |= dict.fromkeys(("invalid_plays", "negative_plays"), fields["plays"].name)
    return paths | {"invalid_date": fields["date"].name}


class Conversion:
    """How an object becomes a record, and how the records are laid out."""

    def __init__(self, preset: Preset, options: Options, fields: dict[str, Field]) -> None:
        self._listening = preset.listening
        self._filter = fields.get("filter")
        self._song = fields["song"]
        self._key = [fields[role] for role in options.key]
        self._measures = [fields[role] for role in ("date", "plays") if role in fields]
        self._longest = options.bounds.song + 1
        date = FIRST_FIELD + len(self._key)
        self.layout = Layout(
            delimiter=b"\t",
            field_count=date + len(self._measures),
            key=tuple(range(FIRST_FIELD, date)),
            song=FIRST_FIELD + options.key.index("song") if "song" in options.key else None,
            date=date,
            plays=date + 1 if "plays" in fields else None,
            data_start=0,
            first_line=1,
            date_format=options.date_format or preset.date_format,
            thousands=options.thousands,
            extra_reason="malformed_json",
            filter=Filter(FILTER_FIELD, COUNTS.encode(), False, "not_a_play"),
            bounds=options.bounds,
        )
        long_key = ["x" * self._longest] * len(self._key)
        others = self.layout.field_count - 1
        self._faults = {
            Fault.TOO_LONG: "\t".join([COUNTS, *long_key, *[""] * len(self._measures)]),
            Fault.MALFORMED: "\t".join([COUNTS, *[INVALID] * others]),
        }

    def lines(self, records: Iterator[Found]) -> Iterator[str]:
        """The records, as they are written."""
        for start, stop, line, found in records:
            text = self._faults[found] if isinstance(found, Fault) else self.text_of(found)
            yield f"{start}:{stop}:{line}\t{text}\n"

    def text_of(self, record: Record) -> str:
        """A record's fields behind its extent."""
        if self._listening is not None and self._filter is not None:
            played = value_of(record, self._filter)
            if type(played) is not Number or not played.isdigit():
                return without(self._filter)
            least = self._listening.least
            if len(played) <= len(str(least)) and int(played) < least:
                return LEFT_OUT
            if value_of(record, self._song) is None:
                if any(record.get(name) is not None for name in self._listening.instead):
                    return LEFT_OUT
        texts = [COUNTS]
        for field in self._key:
            value = value_of(record, field)
            if value is None and not field.is_needed:
                value = ""
            # A number is no text: 1.0 and 1 may be the same title, or not.
            if type(value) is not str:
                return without(field)
            texts.append(value[: self._longest])
        for field in self._measures:
            value = value_of(record, field)
            if value is None:
                return without(field)
            text = value.strip(" ") if isinstance(value, str) else INVALID
            texts.append(text if len(text) < self._longest else INVALID)
        joined = "\t".join(texts)
        if '"' in joined or "\n" in joined or "\r" in joined or joined.count("\t") >= len(texts):
            joined = "\t".join(map(quoted, texts))
        return joined


def value_of(record: Record, field: Field) -> Any:
    """The first value that is there."""
    for path in field.paths:
        value: Any = record
        try:
            for name in path:
                value = value[name]
        # Nothing of this name, or something else than an object.
        except (KeyError, TypeError):
            continue
        if value is not None:
            return value
    return None


def without(field: Field) -> str:
    """A record that lacks this field, or has something of another type there."""
    return f"{COUNTS}\t{json.dumps(field.name)[1:-1]}"


def quoted(text: str) -> str:
    """A field of a CSV, in quotes."""
    return '"' + text.replace('"', '""') + '"'


class Original(NamedTuple):
    """A rejected record as its owner knows it: physical line, the first bytes of its JSON, the path
    of the field at fault.
    """

    line: int
    record: bytes
    path: str


def original_of(origin: JSONOrigin, file: BinaryIO, reason: str, record: bytes) -> Original:
    """What a rejected `record` of the written file was made of; `file` is the one at `origin.path`,
    open.
    """
    fields = record.split(b"\t", FIRST_FIELD + 1)
    start, stop, line = map(int, fields[EXTENT_FIELD].split(b":"))
    file.seek(start)
    path = origin.paths.get(reason, "")
    if reason == "missing_field":
        path = fields[FIRST_FIELD].decode()
    return Original(line, file.read(min(stop - start, SHOWN_BYTES)), path)
