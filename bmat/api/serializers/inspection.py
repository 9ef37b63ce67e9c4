"""How a file would be read, as JSON."""

from typing import Any

from rest_framework import serializers

from bmat.api.serializers.options import FormSerializer
from bmat.api.serializers.reports import ErrorField, own_options
from bmat.api.services.disk import ReceivedFile


class InspectSerializer(FormSerializer):
    """The beginning of a file, and the options with which it would be uploaded."""

    input_file = serializers.FileField(
        help_text="At most 1 MiB of the file, from its start. The first 64 KiB are looked at."
    )

    def validate_input_file(self, upload: ReceivedFile) -> ReceivedFile:
        if len(self.initial_data.getlist("input_file")) > 1:
            raise serializers.ValidationError("Send one file at a time.", code="several_files")
        return upload

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return super().validate({**attrs, **own_options(attrs["input_file"], attrs)})


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
    """How a file would be read. Where it cannot be, `error` says why, and the rest is empty; but
    for the columns and records of a file whose header lacks columns, for somebody to name them.
    """

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

    @classmethod
    def shown(cls, inspection: Any, error: dict[str, str] | None = None) -> dict[str, Any]:
        """An inspection as JSON, with the `error`; None where there is none because of that."""
        empty = dict.fromkeys(cls().fields, None) | {"columns": [], "records": [], "is_cut": False}
        told = empty if inspection is None else cls(inspection).data
        return {**told, "error": error}
