"""Kinds of fields, and what the API's description says of them. Blank ones count as not given: that
is how forms send them. A blank number is refused.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

COLUMN_NAME_LENGTH = 200
# The text encodings of Python, under their own names; it knows others for most of them.
# https://docs.python.org/3/library/codecs.html#standard-encodings
ENCODINGS = """
ascii big5 big5hkscs cp037 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255
cp1256 cp1257 cp1258 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858
cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950 euc_jis_2004
euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk hp-roman8 hz iso2022_jp iso2022_jp_1 iso2022_jp_2
iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859-1 iso8859-10 iso8859-11 iso8859-13
iso8859-14 iso8859-15 iso8859-16 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7
iso8859-8 iso8859-9 johab koi8-r koi8-t koi8-u kz1048 mac-cyrillic mac-greek mac-iceland mac-latin2
mac-roman mac-turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis-620 utf-16 utf-16-be
utf-16-le utf-32 utf-32-be utf-32-le utf-8 utf-8-sig
""".split()
# A form and an address hold text: these are read as yes and no, in capitals too.
SWITCH: dict[str, Any] = {
    "type": "string",
    "enum": "true false 1 0 yes no on off t f y n".split(),
    "default": "false",
}
# Not only what does not count in it, and no NUL.
COLUMN = {
    "type": "string",
    "maxLength": COLUMN_NAME_LENGTH,
    "pattern": r"^(?!\s*[_-]([ _-]*[_-])?\s*$)[^\x00]*$",
}
DELIMITER = {
    "type": "string",
    "pattern": r"^[\x01-\x09\x0b\x0c\x0e-\x1f!#-&(-*,/;-@\[-`{-\x7f]?$",
    "default": "",
}
BLANK = {"type": "string", "maxLength": 0}
INSTANT = {"oneOf": [{"type": "string", "format": "date-time"}, BLANK]}


# PostgreSQL holds no NUL, and no song has one.
@extend_schema_field({"type": "string", "pattern": r"^[^\x00]+$"})
class TextField(serializers.CharField):
    """A text, every space of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, trim_whitespace=False, **kwargs)


@extend_schema_field({"type": "string", "format": "date"})
class DayField(TextField):
    """A day, `YYYY-MM-DD` and nothing else."""

    default_error_messages = {"invalid_day": "This is no day: write it as 2020-12-31."}

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            self.fail("invalid_day")
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail("invalid_day")


@extend_schema_field(INSTANT)
class InstantField(serializers.DateTimeField):
    """An ISO 8601 date-time, or a day for its first instant; in UTC where it names no zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)


class SomeOfField(serializers.MultipleChoiceField):
    """Some of the choices; a parameter that is given again allows another one."""

    def get_value(self, dictionary: Any) -> Any:
        return [value for value in super().get_value(dictionary) if value]


class NumberField(serializers.IntegerField):
    """A number in a query, where blank is none. DRF takes it for one that was not given."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        return dictionary.get(self.field_name, serializers.empty)


@extend_schema_field(SWITCH)
class SwitchField(serializers.BooleanField):
    """Yes or no."""


class ColumnField(serializers.CharField):
    """The name of a column of the file's header."""

    def __init__(self, default: str) -> None:
        super().__init__(
            required=False,
            allow_blank=True,
            max_length=COLUMN_NAME_LENGTH,
            help_text="Its name in the header, without case, spaces, `_` and `-`. The three names "
            "are different ones.",
        )
        # Of this field, not of all: each has another default.
        described = extend_schema_field({**COLUMN, "default": default})
        described(self)  # type: ignore[type-var]  # its types know classes and methods only


@extend_schema_field(DELIMITER)
class DelimiterField(TextField):
    """What stands between the cells of a row."""

    def __init__(self) -> None:
        super().__init__(
            help_text="One ASCII character that no date or count holds: no letter, digit, space, "
            "quote, line end, `-` `+` `.` or `:`. Else it is read off the header."
        )


@extend_schema_field({"type": "string", "enum": ["", *ENCODINGS]})
class EncodingField(serializers.CharField):
    """The encoding of a file."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            allow_blank=True,
            help_text="Python's name of it; most have others, too. Else UTF-8, or what a byte "
            "order mark says.",
        )
