"""The report as JSON, and what an upload may say."""

from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from bmat.aggregation.errors import REASON_ADVICE
from bmat.aggregation.options import ROLES
from bmat.api.models import Report, Status
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.serializers.fields import InstantField, SomeOfField, TextField
from bmat.api.serializers.options import OptionsSerializer, given_options
from bmat.api.serializers.results import ExampleSerializer, WarningSerializer

STATES = [status.name.lower() for status in Status]
STAGES = ["queued", "reading", "merging", "writing"]
# What Django's own forms carry beside their fields.
CSRF_FIELD = "csrfmiddlewaretoken"
UNKNOWN_FIELD = "There is no such field."
# What a file is read as that names no charset.
UTF_8 = ("utf-8", "ascii")


@extend_schema_field({"type": ["string", "null"], "format": "uri"})
class FileURLField(serializers.Field):  # type: ignore[type-arg]
    """The absolute URL under which a file of the report is downloaded; null while there is none."""

    def __init__(self, view_name: str, **kwargs: Any) -> None:
        self.view_name = view_name
        super().__init__(read_only=True, source="*", **kwargs)

    def to_representation(self, report: Report) -> str | None:
        if not getattr(report, self.field_name or ""):
            return None
        kwargs = {"pid": report.pid}
        return reverse(self.view_name, kwargs=kwargs, request=self.context["request"])


class ErrorField(serializers.Serializer[Any]):
    """Why a report failed."""

    code = serializers.CharField(help_text="Stable: see docs/data-contract.md.")
    message = serializers.CharField(help_text="For a person.")


class SampleSerializer(serializers.Serializer[Any]):
    """What was rejected for one reason."""

    advice = serializers.CharField(help_text="What to do about it.")
    examples = ExampleSerializer(many=True, help_text="The first five at most.")


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A report, as every answer shows it. `pid`, `status` and `output_file` never change; the rest
    may grow.
    """

    state = serializers.ChoiceField(STATES, read_only=True)
    stage = serializers.SerializerMethodField()
    progress = serializers.FloatField(read_only=True, min_value=0, max_value=1)
    output_file = FileURLField("report-output")
    rejects_file = FileURLField("report-rejects")
    rejects_sample = serializers.SerializerMethodField()
    warnings = WarningSerializer(many=True, read_only=True)
    options = serializers.DictField(
        read_only=True, help_text="Those that were given, with the upload or the last retry."
    )
    preset = serializers.SerializerMethodField(help_text="The one that was used.")
    group_by = serializers.ListField(
        child=serializers.ChoiceField([*ROLES]),
        read_only=True,
        help_text="The columns of the totals, in front of the date.",
    )
    # A JSON number of any size: the total may pass 64 bits.
    plays_total = serializers.IntegerField(read_only=True)
    error = serializers.SerializerMethodField()
    duration_seconds = serializers.FloatField(read_only=True, allow_null=True)
    expires = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Report
        fields = [
            "pid",
            "status",
            "state",
            "stage",
            "progress",
            "input_name",
            "input_bytes",
            "output_file",
            "rejects_file",
            "rows_read",
            "rows_rejected",
            "rows_left_out",
            "rejects_sample",
            "warnings",
            "options",
            "preset",
            "group_by",
            "groups",
            "plays_total",
            "error",
            "created",
            "updated",
            "duration_seconds",
            "expires",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(STAGES, allow_null=True))
    def get_stage(self, report: Report) -> str | None:
        return report.stage or None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_preset(self, report: Report) -> str | None:
        return report.preset or None

    @extend_schema_field(serializers.DictField(child=SampleSerializer()))
    def get_rejects_sample(self, report: Report) -> dict[str, dict[str, Any]]:
        return {
            reason: {"advice": REASON_ADVICE.get(reason, ""), "examples": examples}
            for reason, examples in report.rejects_sample.items()
        }

    @extend_schema_field(ErrorField(allow_null=True))
    def get_error(self, report: Report) -> dict[str, str] | None:
        if not report.error_code:
            return None
        return {"code": report.error_code, "message": report.error_message}


class FormSerializer(OptionsSerializer):
    """The options of a form. A blank one counts as not given."""

    def to_internal_value(self, data: Any) -> Any:
        """The fields' values. Each field that nobody knows is an error, too."""
        unknown = {name: [UNKNOWN_FIELD] for name in data if name not in {*self.fields, CSRF_FIELD}}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            assert isinstance(error.detail, dict)
            raise serializers.ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


def replaced_options(data: Any) -> dict[str, Any] | None:
    """The options of a form or an address that replace those of a report; None: nothing is given,
    and they stay. Raises ValidationError.
    """
    if not data:
        return None
    given = FormSerializer(data=data)
    given.is_valid(raise_exception=True)
    return given_options(given.validated_data)


class SubmitSerializer(FormSerializer):
    """The fields of an upload. A blank option counts as not given."""

    input_file = serializers.FileField(help_text="One file, and not an empty one.")

    def validate_input_file(self, upload: TemporaryUploadedFile) -> TemporaryUploadedFile:
        if len(self.initial_data.getlist("input_file")) > 1:
            raise serializers.ValidationError("Send one file at a time.", code="several_files")
        return upload

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        charset = attrs["input_file"].charset
        if charset and charset not in UTF_8 and not attrs.get("encoding"):
            attrs["encoding"] = charset
        return super().validate(attrs)


class FilterSerializer(serializers.Serializer[Any]):
    """What the list of reports may be narrowed to. Blank parameters count as not given."""

    status = SomeOfField(
        choices=Status.choices, required=False, help_text="Give it again to allow another one."
    )
    created_after = InstantField(help_text="This instant, or later. UTC where it names no zone.")
    created_before = InstantField(help_text="Before this instant.")
    input_name = TextField(
        max_length=INPUT_NAME_LENGTH, help_text="A part of the file's name, in capitals or not."
    )
    error_code = TextField(help_text="Failed with this code.")

    LOOKUPS = {
        "status": "status__in",
        "created_after": "created__gte",
        "created_before": "created__lt",
        "input_name": "input_name__icontains",
        "error_code": "error_code",
    }

    def narrow(self, reports: "QuerySet[Report]") -> "QuerySet[Report]":
        """Those of `reports` that are wanted. Raises ValidationError."""
        self.is_valid(raise_exception=True)
        given = {name: value for name, value in self.validated_data.items() if value}
        return reports.filter(**{self.LOOKUPS[name]: value for name, value in given.items()})
