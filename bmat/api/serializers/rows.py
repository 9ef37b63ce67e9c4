"""What may be asked of a result, and what its rows look like."""

from datetime import date
from typing import Any

from rest_framework import serializers

from bmat.aggregation.spans import Days
from bmat.api.serializers.parameters import DayField, NumberField, TextField
from bmat.api.services.rows import (
    DATE,
    DATE_BACKWARDS,
    MOST_PLAYS,
    PLAYS,
    SONG,
    SONG_BACKWARDS,
    Question,
)

ORDERS = [SONG, SONG_BACKWARDS, DATE, DATE_BACKWARDS, PLAYS, MOST_PLAYS]
OF_ONE_SONG = (DATE, DATE_BACKWARDS, PLAYS, MOST_PLAYS)
ROWS, MOST_ROWS = 100, 1000


class QuestionSerializer(serializers.Serializer[Any]):
    """The parameters of `rows`."""

    song = TextField(help_text="The rows of this song.")
    song_prefix = TextField(help_text="The rows of the songs that begin like this.")
    order = serializers.ChoiceField(
        ORDERS,
        required=False,
        allow_blank=True,
        help_text="`song` where it is not given; `-song` is the whole order backwards; date and "
        "plays are for one `song`.",
    )
    limit = NumberField(
        default=ROWS, min_value=1, max_value=MOST_ROWS, help_text="The most rows of a page."
    )
    cursor = serializers.CharField(
        required=False, allow_blank=True, help_text="Taken from `next`, never made by hand."
    )

    def get_fields(self) -> dict[str, Any]:
        # The name of the first one is a keyword of Python.
        days = {
            "from": DayField(help_text="The first day, included."),
            "to": DayField(help_text="The last day, included."),
        }
        return {**super().get_fields(), **days}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        order = attrs.get("order") or SONG
        if order in OF_ONE_SONG and not attrs.get("song"):
            message = f'"{order}" is for the rows of one song: give song, too.'
            raise serializers.ValidationError({"order": [message]})
        days = Days(attrs.get("from") or date.min, attrs.get("to") or date.max)
        if days.first > days.last:
            raise serializers.ValidationError({"to": ["This day is before that of from."]})
        return {**attrs, "days": days, "order": order}

    @property
    def question(self) -> Question:
        """What is asked, once it is valid."""
        asked = self.validated_data
        return Question(
            asked.get("song", ""), asked.get("song_prefix", ""), asked["days"], asked["order"]
        )


class RowSerializer(serializers.Serializer[Any]):
    """The plays of a song on a day: a JSON integer from 0 to 2^63-1, exact."""

    song = serializers.CharField()
    date = serializers.DateField()
    plays = serializers.IntegerField()


class RowsSerializer(serializers.Serializer[Any]):
    """A page of rows, and the URL of the next one: null says that there is none."""

    rows = RowSerializer(many=True)
    next = serializers.URLField(allow_null=True)
