"""A column for integers of any size."""

from typing import TYPE_CHECKING, Any

from django.db import models

# Generic for the type checker alone.
if TYPE_CHECKING:
    IntegerColumn = models.Field[int, int]
else:
    IntegerColumn = models.Field


class ExactIntegerField(IntegerColumn):
    """An integer kept as its decimal digits: the sum of plays may pass the 64 bits of a database's
    own integers.

    Its values cannot be compared or added up by the database.
    """

    DIGITS = 40

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = self.DIGITS
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length")
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "CharField"

    def from_db_value(self, value: str, *_: Any) -> int:
        return int(value)

    def to_python(self, value: Any) -> int:
        return int(value)

    def get_prep_value(self, value: Any) -> str:
        return str(int(value))
