"""Whether a text is a date or a count, by the data contract: what tells a record from a header. The
kernels judge and read the values of all records by the same rules.
"""

import re
from datetime import date

# ISO 8601 in its extended form, the date alone or with a time and an offset; RFC 3339 adds the
# small letters and the leap second, databases and Java what may stand behind.
TIME = (
    rb"(?:[Tt ](?:[01][0-9]|2[0-3])(?::[0-5][0-9](?::(?:[0-5][0-9]|60)(?:[.,][0-9]+)?)?)?"
    rb"(?:[Zz]| UTC| ?[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?"
    rb"(?:\[[A-Za-z0-9_+\-/]+\])?)?"
)
YEAR, MONTH, DAY = rb"(?P<year>[0-9]{4})", rb"(?P<month>[0-9]{1,2})", rb"(?P<day>[0-9]{1,2})"
COMPACT_MONTH, COMPACT_DAY = rb"(?P<month>[0-9]{2})", rb"(?P<day>[0-9]{2})"
SEPARATOR, SAME = rb"(?P<separator>[/.\-])", rb"(?P=separator)"
DATES = {
    "iso": [YEAR + b"-" + COMPACT_MONTH + b"-" + COMPACT_DAY],
    "dmy": [DAY + SEPARATOR + MONTH + SAME + YEAR, COMPACT_DAY + COMPACT_MONTH + YEAR],
    "mdy": [MONTH + SEPARATOR + DAY + SAME + YEAR, COMPACT_MONTH + COMPACT_DAY + YEAR],
    "ymd": [YEAR + SEPARATOR + MONTH + SAME + DAY, YEAR + COMPACT_MONTH + COMPACT_DAY],
}
EPOCH = re.compile(rb"(?P<sign>-?)(?P<whole>[0-9]+)(?:\.(?P<part>[0-9]+))?")
UNITS_PER_DAY = {"epoch": 86_400, "epoch_ms": 86_400_000}
EPOCH_DAY = date(1970, 1, 1).toordinal()
# Python refuses to convert a text of thousands of digits, so their number is looked at first.
MOST_DIGITS = 20

# Exactly three zeros behind the point may be thousands.
ZEROS = rb"(?:\.(?!000\Z)0+)?"
GROUPS = {
    ",": rb",",
    ".": rb"\.",
    "'": rb"'",
    "space": rb"(?: |\xc2\xa0|\xe2\x80\xaf)",
}
LARGEST_PLAYS = 2**63 - 1


def is_date(text: bytes, date_format: str) -> bool:
    """Whether this is a day in `date_format`, perhaps with a time, perhaps with spaces around."""
    text = text.strip(b" ")
    if date_format in UNITS_PER_DAY:
        return is_epoch(text, UNITS_PER_DAY[date_format])
    for pattern in DATES[date_format]:
        match = re.fullmatch(pattern + TIME, text)
        if match is not None:
            return is_day(int(match["year"]), int(match["month"]), int(match["day"]))
    return False


def is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def is_epoch(text: bytes, units_per_day: int) -> bool:
    """Whether so many units since 1970 are a day of the years 1 to 9999."""
    match = EPOCH.fullmatch(text)
    if match is None or len(match["whole"].lstrip(b"0")) > MOST_DIGITS:
        return False
    units = int(match["whole"].lstrip(b"0") or b"0")
    if match["sign"]:
        # What is behind the point of a negative number belongs to the unit before it.
        units = -units - bool((match["part"] or b"").strip(b"0"))
    return date.min.toordinal() <= EPOCH_DAY + units // units_per_day <= date.max.toordinal()


def is_plays(text: bytes, thousands: str | None) -> bool:
    """Whether this is a number of plays, 0 to 2^63-1, perhaps with spaces around, and with what
    `thousands` names between groups of three digits.
    """
    text = text.strip(b" ")
    pattern = rb"(?P<digits>[0-9]+)"
    if thousands is not None:
        grouped = rb"[0-9]{1,3}(?:" + GROUPS[thousands] + rb"[0-9]{3})+"
        pattern = rb"(?P<digits>" + grouped + rb"|[0-9]+)"
    match = re.fullmatch(pattern + (b"" if thousands == "." else ZEROS), text)
    if match is None:
        return False
    digits = re.sub(rb"[^0-9]", b"", match["digits"]).lstrip(b"0")
    return len(digits) < MOST_DIGITS and int(digits or b"0") <= LARGEST_PLAYS
