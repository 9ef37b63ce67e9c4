"""What the fields of a record mean."""

from datetime import date, timedelta

LARGEST_PLAYS = 2**63 - 1
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MARKS = {",": (b",",), ".": (b".",), "'": (b"'",), "space": (b" ", b"\xc2\xa0", b"\xe2\x80\xaf")}


def is_utf8(text: bytes) -> bool:
    return text == text.decode("utf-8", "ignore").encode()


def is_digits(text: str) -> bool:
    return bool(text) and all(character in "0123456789" for character in text)


def day_of(written: bytes, date_format: str) -> str | None:
    """The day, `YYYY-MM-DD`; None where there is none."""
    text = written.decode("latin-1").strip(" ")
    if date_format in ("epoch", "epoch_ms"):
        return day_of_epoch(text, 1 if date_format == "epoch" else 1000)
    if date_format == "iso":
        head, rest = text[:10], text[10:]
        parts = [head[:4], head[5:7], head[8:]] if head[4:5] == head[7:8] == "-" else []
        if [len(part) for part in parts] != [4, 2, 2]:
            return None
    else:
        parts, rest = parts_of(text, date_format)
        if [len(part) for part in parts] not in ([4, 2, 2], [4, 1, 2], [4, 2, 1], [4, 1, 1]):
            return None
    if not all(map(is_digits, parts)) or (rest and not is_time(rest)):
        return None
    try:
        return date(*map(int, parts)).isoformat()
    except ValueError:
        return None


def parts_of(text: str, date_format: str) -> tuple[list[str], str]:
    """Year, month and day as they are written in this order of letters, and what is behind them."""
    count = 0
    while count < len(text) and text[count] in "0123456789":
        count += 1
    if count == 8:
        widths = {"d": 2, "m": 2, "y": 4}
        found, rest = {}, text
        for letter in date_format:
            found[letter], rest = rest[: widths[letter]], rest[widths[letter] :]
        return [found[letter] for letter in "ymd"], rest
    separator = text[count : count + 1]
    if separator not in ("/", ".", "-"):
        return [], ""
    first, second, rest = [*text.split(separator, 2), "", ""][:3]
    count = 0
    while count < len(rest) and rest[count] in "0123456789":
        count += 1
    found = dict(zip(date_format, (first, second, rest[:count]), strict=True))
    return [found[letter] for letter in "ymd"], rest[count:]


def day_of_epoch(text: str, per_second: int) -> str | None:
    """The day, in UTC, so many units after 1970."""
    number = text.removeprefix("-")
    whole, point, part = number.partition(".")
    if not is_digits(whole) or (point and not is_digits(part)) or len(whole.lstrip("0")) > 30:
        return None
    units = int(whole.lstrip("0") or "0")
    if text != number:
        units = -units - (part.strip("0") != "")
    try:
        return (date(1970, 1, 1) + timedelta(units // (86400 * per_second))).isoformat()
    except OverflowError:
        return None


def is_time(text: str) -> bool:
    """Whether the text, behind a date, is a time, perhaps with a zone."""
    if text[0] not in "Tt ":
        return False
    clock = text[1:]
    if clock.endswith("]"):
        clock, _, name = clock[:-1].partition("[")
        if not name or any(letter.lower() not in LETTERS + "0123456789_+-/" for letter in name):
            return False
    if clock.endswith(" UTC"):
        return is_clock(clock[:-4])
    for sign in "+-":
        before, found, offset = clock.partition(sign)
        if found:
            return is_clock(before.removesuffix(" ")) and is_offset(offset)
    return is_clock(clock[:-1] if clock[-1:] in ("Z", "z") else clock)


def is_clock(text: str) -> bool:
    whole, separator, fraction = text.replace(",", ".").partition(".")
    parts = whole.split(":")
    if separator and (len(parts) != 3 or not is_digits(fraction)):
        return False
    return len(parts) <= 3 and all(map(is_number_up_to, parts, (23, 59, 60)))


def is_offset(text: str) -> bool:
    hours, minutes = text[:2], text[2:].removeprefix(":")
    if len(text) == 2:
        return is_number_up_to(hours, 23)
    return is_number_up_to(hours, 23) and is_number_up_to(minutes, 59)


def is_number_up_to(text: str, largest: int) -> bool:
    return len(text) == 2 and is_digits(text) and int(text) <= largest


def plays_of(written: bytes, thousands: str | None) -> int | str:
    """The number of plays, or why it is none."""
    text = written.strip(b" ")
    number = text.removeprefix(b"-")
    whole, point, zeros = number.partition(b".") if thousands != "." else (number, b"", b"")
    if point and (not zeros or zeros.strip(b"0") or len(zeros) == 3):
        return "invalid_plays"
    digits = without_marks(whole, thousands).decode("latin-1")
    if not is_digits(digits):
        return "invalid_plays"
    if text != number:
        return "negative_plays"
    digits = digits.lstrip("0") or "0"
    # Python refuses to convert thousands of digits.
    if len(digits) > 19 or int(digits) > LARGEST_PLAYS:
        return "invalid_plays"
    return int(digits)


def without_marks(number: bytes, thousands: str | None) -> bytes:
    """The digits, without the marks between groups of three; nothing where groups are wrong."""
    groups = [number]
    for mark in MARKS.get(thousands or "", ()):
        groups = [part for group in groups for part in group.split(mark)]
    if len(groups) == 1:
        return number
    widths = [len(group) for group in groups]
    is_right = 1 <= widths[0] <= 3 and set(widths[1:]) == {3}
    return b"".join(groups) if is_right else b""
