"""The errors that end a run. Those of its input and options are one table: stable codes, and the
texts that people read.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# No room on the disk, none in the quota of this user, none in what a process or a file may take.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

MESSAGES = {
    "empty_file": "The file is empty: it needs a header and at least one record.",
    "damaged_archive": "The {archive} is damaged: {how}. Get it again.",
    "decompression_limit": (
        "What is in the {archive} is larger than {most}. If you trust it, unpack it yourself, or "
        "raise the limit."
    ),
    "nested_archive": (
        "What is in the {archive} is packed once more ({inner}), and only one level is unpacked. "
        "Unpack it, and upload what is in it."
    ),
    "unsupported_archive": (
        "The {archive} cannot be read: {reason}. Unpack it, and upload what is in it."
    ),
    "not_text": "The file is not a CSV text: it looks like {looks_like}. {advice}.",
    "missing_column": "{subject} has no column {wanted}: {found}. {advice}.",
    "duplicate_column": (
        "The header has the column {wanted} more than once: it has {found}. "
        "Leave one of them, or name the right one in the options."
    ),
    "unknown_encoding": (
        "There is no text encoding {encoding}. "
        "Use a name such as utf-8, utf-16, cp1252 or iso-8859-1."
    ),
    "invalid_option": "The option {option} cannot be {value}: {advice}.",
    "count_mismatch": (
        "The file says that it has {said} {things}, but it has {found}: {difference}. "
        "It is incomplete or has been changed: get it again."
    ),
    "strict_violation": (
        "Line {line} cannot be counted ({reason}): {record}. "
        "Correct it, or run without the option strict."
    ),
    "no_valid_rows": "Not one row could be counted: {found}.",
    "plays_overflow": (
        "The total of {song} on {date} is {total}, past the largest possible, 9223372036854775807. "
        "Look for a wrong number of plays in its records."
    ),
    "too_many_inputs": (
        "There are {count} inputs, which is more than {most}. Join some of them, or total them in "
        "several runs, and then the totals of these."
    ),
    "out_of_disk": "There is no space left on the disk for the result. Try again once there is.",
}

# What to do about the records that are rejected for a reason, for the person whose file it is.
REASON_ADVICE = {
    "unterminated_quote": (
        "A quote opens the field and none closes it: close it, or, if quotes are part of the "
        "titles, use the option quoting=none."
    ),
    "malformed_quotes": (
        "Something stands behind a closing quote: write a quote inside a quoted field twice, or, "
        "if quotes are part of the titles, use the option quoting=none."
    ),
    "repeated_header": (
        "The header stands in the file again, as it does in files that were joined: nothing is "
        "missing, and the line can be deleted."
    ),
    "too_long": (
        "The record has more than 1 MiB, or the song, with all else that the plays are grouped by, "
        "more than 4,096 bytes: look for missing line ends, or for the wrong column."
    ),
    "stray_carriage_return": (
        "A carriage return stands within the line: end each line with LF or CR LF, or put the "
        "field in quotes."
    ),
    "extra_field": (
        "The record has more fields than the header: put fields that hold the delimiter in quotes."
    ),
    "missing_field": (
        "The record ends before a column that is read: look for a line that was cut in two, or for "
        "another delimiter."
    ),
    "empty_song": "The song is empty, or all that the plays are grouped by is: fill it in.",
    "invalid_character": (
        "The song, or something else that the plays are grouped by, holds a NUL byte: export the "
        "file again as plain text."
    ),
    "invalid_encoding": (
        "The song, or something else that the plays are grouped by, is not valid UTF-8: save the "
        "file as UTF-8, or name its encoding in the option encoding."
    ),
    "invalid_date": (
        "The date is no day of the calendar in the format that is read: write it as 2020-12-31, or "
        "name its format in the option date_format."
    ),
    "negative_plays": (
        "The number of plays is below zero: corrections cannot be counted, so subtract it where "
        "the plays are recorded."
    ),
    "invalid_plays": (
        "The number of plays is no whole number up to 9223372036854775807: if it has separators "
        "between thousands, name them in the option thousands."
    ),
    "malformed_json": (
        "The line or element is no JSON object, or lacks what is read of it: export the file again."
    ),
}

SHOWN_TEXT_LENGTH = 200
SHOWN_NAMES = 20


class AggregationError(Exception):
    """A run that cannot go on.

    `code` is one of `MESSAGES`' keys and never changes its meaning; `message` is for the person
    whose file it is and holds no path; `source` is the input file at fault, where it is one, by
    the name that is shown, and `option` the name of the option.
    """

    option: str | None = None

    def __init__(self, code: str, message: str, source: Path | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.source = source

    def __str__(self) -> str:
        return self.message


@contextmanager
def naming_a_full_disk() -> Iterator[None]:
    """Whatever finds no room in the block raises AggregationError `out_of_disk`."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise failure("out_of_disk") from error
        raise


class ConservationError(Exception):
    """The totals do not hold the plays counted: a defect of this package, never of the input."""

    def __init__(self, plays_counted: int, plays_total: int) -> None:
        text = f"plays counted {plays_counted}, plays in the totals {plays_total}"
        super().__init__(text)


class InspectionTooSlow(Exception):
    """An inspection has had its time. The input may be sound: a run may take longer."""


class ClusterAway(ConnectionError):
    """The Dask cluster cannot be reached, or has gone away: the same run may succeed later."""


def failure(code: str, source: Path | None = None, **details: object) -> AggregationError:
    """The error `code` with its text from the table, filled in with `details`."""
    error = AggregationError(code, MESSAGES[code].format(**details), source)
    if code in ("invalid_option", "unknown_encoding"):
        error.option = str(details.get("option", "encoding"))
    return error


def shown(value: str) -> str:
    """`value` quoted for a message: control characters escaped, long ones cut."""
    cut = value if len(value) <= SHOWN_TEXT_LENGTH else value[:SHOWN_TEXT_LENGTH] + "…"
    return repr(cut)


def shown_names(names: Sequence[str]) -> str:
    """Names for a message; of many, the first ones."""
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(map(shown, names[:SHOWN_NAMES])) + more
