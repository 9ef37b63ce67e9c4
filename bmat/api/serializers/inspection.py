"""How a file would be read, as JSON."""

from pathlib import Path
from typing import Any

from rest_framework import serializers

from bmat.aggregation import AggregationError, Options
from bmat.api.serializers.options import refused_option
from bmat.api.serializers.reports import ErrorField, SubmitSerializer

UNREAD: dict[str, Any] = dict.fromkeys(
    ("encoding", "delimiter", "line_end", "header_line", "preset")
) | {"columns": [], "records": [], "is_cut": False}


class InspectSerializer(SubmitSerializer):
    """The beginning of a file, and the options with which it would be uploaded."""

    input_file = serializers.FileField(
        help_text="At most 1 MiB of the file, from its start. The first 64 KiB are looked at."
    )


class ColumnSerializer(serializers.Serializer[Any]):
    """A column of the file, and what it is read as: null where nobody reads it."""

    name = serializers.CharField()
    role = serializers.CharField(allow_null=True)


class RecordSerializer(serializers.Serializer[Any]):
    """A record as it would be counted, or why it would not."""

    line = serializers.IntegerField(min_value=1, help_text="The line on which it starts.")
    fields = serializers.ListField(  # type: ignore[assignment]  # shadows what a serializer has
        child=serializers.CharField(allow_blank=True)
    )
    key = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        allow_null=True,
        help_text="What its plays are totalled under, beside the date.",
    )
    date = serializers.CharField(allow_null=True, help_text="`YYYY-MM-DD`.")
    plays = serializers.IntegerField(min_value=0, allow_null=True)
    reason = serializers.CharField(
        allow_null=True, help_text="Why it would be rejected or left out."
    )


class InspectionSerializer(serializers.Serializer[Any]):
    """How a file would be read. Where it cannot be, `error` says why, and the rest is empty."""

    encoding = serializers.CharField(allow_null=True)
    delimiter = serializers.CharField(allow_null=True, trim_whitespace=False)
    line_end = serializers.CharField(allow_null=True)
    header_line = serializers.IntegerField(
        min_value=0, allow_null=True, help_text="0: it has no header."
    )
    preset = serializers.CharField(allow_null=True)
    columns = ColumnSerializer(many=True)
    records = RecordSerializer(many=True, help_text="The first twenty.")
    is_cut = serializers.BooleanField(help_text="There is more than was looked at.")
    error = ErrorField(allow_null=True)


def inspected(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """How the file at `path` would be read, as JSON. Raises ValidationError for options that cannot
    be followed with it.
    """
    # Loads the compiled kernels, which a process that only takes uploads does without.
    from bmat.aggregation.inspect import inspect

    try:
        found = inspect(path, Options.of(options))
    except AggregationError as error:
        if error.option is not None:
            raise refused_option(error) from error
        told = {"code": error.code, "message": error.message}
        return dict(InspectionSerializer({**UNREAD, "error": told}).data)
    return {**InspectionSerializer(found).data, "error": None}
