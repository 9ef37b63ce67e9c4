"""The meaning of a record's three fields. A field is a `str` of latin-1 code points, one per byte
of the file.
"""

import re
from datetime import date
from functools import lru_cache

LARGEST_PLAYS = 2**63 - 1

# ISO 8601 in its extended form, the date alone or with a time and an offset; RFC 3339 adds the
# small letters and the leap second.
DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"([Tt ]([01][0-9]|2[0-3])(:[0-5][0-9](:([0-5][0-9]|60)([.,][0-9]+)?)?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?"
)
PLAYS = re.compile(r" *(?P<sign>-?)(?P<digits>[0-9]+)(\.0+)? *")


class Reject(Exception):
    """A record that cannot be counted; its text is one of the reasons of the data contract."""


def song(field: str, most_bytes: int) -> str:
    """The song's name, unchanged. Raises Reject."""
    if not field:
        raise Reject("empty_song")
    if len(field) > most_bytes:
        raise Reject("too_long")
    if "\0" in field:
        raise Reject("invalid_character")
    if not field.isascii():
        try:
            field.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError as error:
            raise Reject("invalid_encoding") from error
    return field


@lru_cache(maxsize=2**16)
def day(field: str) -> str:
    """The written day, as YYYY-MM-DD. Raises Reject."""
    match = DATE.fullmatch(field)
    if match is None:
        raise Reject("invalid_date")
    try:
        date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError as error:
        raise Reject("invalid_date") from error
    return field[:10]


def plays(field: str) -> int:
    """The number of plays, 0 to 2^63-1. Raises Reject."""
    match = PLAYS.fullmatch(field)
    if match is None:
        raise Reject("invalid_plays")
    if match["sign"]:
        raise Reject("negative_plays")
    digits = match["digits"].lstrip("0")
    # Python refuses to convert a text of thousands of digits, so their number is looked at first.
    if len(digits) > len(str(LARGEST_PLAYS)) or int(digits or "0") > LARGEST_PLAYS:
        raise Reject("invalid_plays")
    return int(digits or "0")
