"""What may be asked of results, and what the answers look like."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bmat.results import ChangeOrder, Grain, Order, Question
from bmat.results.files import FIELDS

ROWS, MOST_ROWS = 100, 1000


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


class NumberField(serializers.IntegerField):
    """A number in a query, where blank is none. DRF takes it for one that was not given."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        return dictionary.get(self.field_name, serializers.empty)


class ChoiceField(serializers.ChoiceField):
    """One of the values of an enumeration; blank counts as not given."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        values = [str(each) for each in choices]
        super().__init__(choices=values, required=False, allow_blank=True, **kwargs)


class KeySerializer(serializers.Serializer[Any]):
    """The fields of a key: those that the totals are by, and no others."""

    song = serializers.CharField(required=False, source="key.song")
    artist = serializers.CharField(required=False, source="key.artist")
    isrc = serializers.CharField(required=False, source="key.isrc")
    territory = serializers.CharField(required=False, source="key.territory")
    service = serializers.CharField(required=False, source="key.service")


class QuestionSerializer(serializers.Serializer[Any]):
    """The parameters of `rows`."""

    song = TextField(help_text="The rows of this song, byte for byte.")
    artist = TextField(help_text="Those of this artist, where the totals are by artist.")
    isrc = TextField(help_text="Those of this ISRC, where they are by ISRC.")
    territory = TextField(help_text="Those of this territory, where they are by territory.")
    service = TextField(help_text="Those of this service, where they are by service.")
    song_prefix = TextField(help_text="The rows of the songs that begin like this.")
    contains = TextField(help_text="The rows of the songs that have this anywhere in them.")
    grain = ChoiceField(
        Grain,
        help_text="Sums up the days of each: `date` is the first day of the period, a week's its "
        "Monday. `all` sums up all days from `from` to `to`: `date` is null, and the order of "
        "`date` that of `song`. `day` where it is not given.",
    )
    order = ChoiceField(
        Order,
        help_text="`song` where it is not given: the columns that the totals are by, in their "
        "order, then date. `-` turns an order around. Equal rows of `date` and `plays` are in the "
        "order of `song`.",
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
        first, last = attrs.get("from") or date.min, attrs.get("to") or date.max
        if first > last:
            raise serializers.ValidationError({"to": ["This day is before that of from."]})
        return {**attrs, "first": first, "last": last}

    @property
    def question(self) -> Question:
        """What is asked, once it is valid."""
        asked = self.validated_data
        return Question(
            **{name: asked.get(name, "") for name in FIELDS},
            prefix=asked.get("song_prefix", ""),
            contains=asked.get("contains", ""),
            first=asked["first"],
            last=asked["last"],
            grain=Grain(asked.get("grain") or Grain.DAY),
            order=Order(asked.get("order") or Order.SONG),
        )


class PairSerializer(serializers.Serializer[Any]):
    """The parameters of `compare`."""

    grain = ChoiceField(
        Grain,
        help_text="Compares the plays of each key in each such period; the plays in the whole "
        "result where it is not given.",
    )
    order = ChoiceField(
        ChangeOrder,
        help_text="Which changes are the largest: by the difference in `plays` (where it is not "
        "given), or by how many `percent` of the plays before that is.",
    )
    limit = NumberField(
        default=ROWS, min_value=1, max_value=MOST_ROWS, help_text="The most changes of each kind."
    )

    def get_fields(self) -> dict[str, Any]:
        # Its name is a keyword of Python.
        earlier = serializers.UUIDField(help_text="The pid of the report to compare with.")
        return {"with": earlier, **super().get_fields()}

    @property
    def question(self) -> dict[str, Any]:
        """What is asked beside the reports, once it is valid."""
        asked = self.validated_data
        return {
            "limit": asked["limit"],
            "grain": Grain(asked["grain"]) if asked.get("grain") else None,
            "order": ChangeOrder(asked.get("order") or ChangeOrder.PLAYS),
        }


class RowSerializer(KeySerializer):
    """The plays of a key in a period: an exact JSON integer."""

    date = serializers.DateField(allow_null=True, help_text="Null where the grain is `all`.")
    plays = serializers.IntegerField(min_value=0)


class RowsSerializer(serializers.Serializer[Any]):
    """A page of rows, and the URL of the next one: null says that there is none."""

    rows = RowSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class ChangeSerializer(KeySerializer):
    """The plays of a key in both results; of one period, where a grain was given."""

    date = serializers.DateField(allow_null=True)
    plays_before = serializers.IntegerField(source="before", min_value=0)
    plays = serializers.IntegerField(source="after", min_value=0)
    difference = serializers.IntegerField()
    percent = serializers.FloatField(
        allow_null=True, help_text="Of the plays before; null where there were none."
    )


class ChangesSerializer(serializers.Serializer[Any]):
    """All changes of a kind together, and the largest ones."""

    count = serializers.IntegerField(min_value=0)
    plays_before = serializers.IntegerField(source="before", min_value=0)
    plays = serializers.IntegerField(source="after", min_value=0)
    largest = ChangeSerializer(many=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    """The changes by kind. Those that are the same are counted, and not listed."""

    new = ChangesSerializer()
    gone = ChangesSerializer()
    up = ChangesSerializer()
    down = ChangesSerializer()
    same = ChangesSerializer()


class TopSongSerializer(KeySerializer):
    """A key and its plays, in all of a result."""

    plays = serializers.IntegerField(min_value=0)


class WarningSerializer(serializers.Serializer[Any]):
    """What a person should look at. It changes no total."""

    code = serializers.CharField(help_text="Stable: see docs/data-contract.md.")
    message = serializers.CharField(help_text="For a person.")


class ExampleSerializer(serializers.Serializer[Any]):
    """A rejected record."""

    file = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The number of its input, from 0, where there are several.",
    )
    line = serializers.IntegerField(min_value=1, help_text="The line on which it starts.")
    record = serializers.CharField(help_text="At most 200 characters of it.")


class InputSerializer(serializers.Serializer[Any]):
    """How an input was read; what was found in it is not in results of older versions."""

    preset = serializers.CharField()
    delimiter = serializers.CharField()
    encoding = serializers.CharField()
    header_line = serializers.IntegerField(min_value=0, help_text="0: it has no header.")
    name = serializers.CharField(required=False)
    bytes_read = serializers.IntegerField(min_value=0, required=False, help_text="In UTF-8.")
    rows_read = serializers.IntegerField(min_value=0, required=False)
    rows_counted = serializers.IntegerField(min_value=0, required=False)
    rows_rejected = serializers.IntegerField(min_value=0, required=False)
    rows_left_out = serializers.IntegerField(min_value=0, required=False)
    plays = serializers.IntegerField(min_value=0, required=False)


class SummarySerializer(serializers.Serializer[Any]):
    """What a result comes to, as its file has it: it describes the file, and writes nothing."""

    rows_read = serializers.IntegerField(min_value=0)
    rows_counted = serializers.IntegerField(min_value=0)
    rows_rejected = serializers.IntegerField(min_value=0)
    rows_left_out = serializers.IntegerField(min_value=0)
    groups = serializers.IntegerField(min_value=0)
    plays_total = serializers.IntegerField(min_value=0)
    rejects_by_reason = serializers.DictField(child=serializers.IntegerField(min_value=0))
    left_out_by_reason = serializers.DictField(child=serializers.IntegerField(min_value=0))
    rejects_sample = serializers.DictField(
        child=ExampleSerializer(many=True), help_text="The first five of each reason."
    )
    warnings = WarningSerializer(many=True)
    group_by = serializers.ListField(child=serializers.ChoiceField([*FIELDS]))
    inputs = InputSerializer(many=True, help_text="In order.")
    bytes_read = serializers.IntegerField(min_value=0)
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    top_songs = TopSongSerializer(many=True, help_text="A hundred at most.")
    plays_by_day = serializers.DictField(child=serializers.IntegerField(min_value=0))
