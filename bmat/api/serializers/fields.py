"""Kinds of fields, and what the API's description says of them. Blank ones count as not given: that
is how forms send them. A blank number is refused.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# A form and an address hold text: these are read as yes and no, in capitals too.
SWITCH: dict[str, Any] = {
    "type": "string",
    "enum": "true false 1 0 yes no on off t f y n".split(),
    "default": "false",
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
