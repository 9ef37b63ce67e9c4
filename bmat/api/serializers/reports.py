"""The report as JSON, and what an upload may say."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from bmat.aggregation import Options
from bmat.aggregation.errors import REASON_ADVICE
from bmat.aggregation.options import ROLES
from bmat.api.models import Report, Status, Upload
from bmat.api.serializers.options import (
    BLANK,
    CallbackSerializer,
    FormSerializer,
    check_callback,
    check_options,
    given_options,
)
from bmat.api.serializers.results import ExampleSerializer, WarningSerializer
from bmat.api.services.disk import ReceivedFile
from bmat.api.services.files import TOTALS_GONE

STATES = [status.name.lower() for status in Status]
STAGES = ["queued", "reading", "merging", "writing"]
# What a file is read as that names no charset.
UTF_8 = ("utf-8", "ascii")
# What a report has and its entry in the list has not: it is made of LONG_COLUMNS.
LONG_FIELDS = ("inputs", "rejects_sample")
# What is shown of an input that was not read.
UNREAD: Mapping[str, Any] = {
    **dict.fromkeys(("rows_read", "rows_rejected", "rows_left_out"), 0),
    **dict.fromkeys(("preset", "encoding", "delimiter", "header_line")),
}
UPLOAD_TWICE = "The same upload comes twice"
TOO_MANY = "There are more than the {most} inputs of a report."
WITH_TOTALS_TOO_MANY = "With the totals there are more than the {most} inputs of a report."


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


class ReportInputSerializer(serializers.Serializer[Any]):
    """An input of a report; how it was read is null until it was, and where it was not kept."""

    name = serializers.CharField(help_text="Of each input another one.")
    bytes = serializers.IntegerField(min_value=0, help_text="Of the file as it was sent.")
    rows_read = serializers.IntegerField(min_value=0)
    rows_rejected = serializers.IntegerField(min_value=0)
    rows_left_out = serializers.IntegerField(min_value=0)
    preset = serializers.CharField(allow_null=True)
    encoding = serializers.CharField(allow_null=True)
    delimiter = serializers.CharField(allow_null=True, trim_whitespace=False)
    header_line = serializers.IntegerField(
        min_value=0, allow_null=True, help_text="0: it has no header."
    )


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
    inputs = serializers.SerializerMethodField()
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
            "inputs",
            "base",
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

    @extend_schema_field(ReportInputSerializer(many=True))
    def get_inputs(self, report: Report) -> Any:
        """How each input was read; until then, which there are."""
        size_of = {each["name"]: each["bytes"] for each in report.inputs}
        shown = [
            {**UNREAD, **each, "bytes": size_of.get(each["name"], each.get("bytes_read"))}
            for each in report.inputs_read or report.inputs
        ]
        return ReportInputSerializer(shown, many=True).data

    @extend_schema_field(ErrorField(allow_null=True))
    def get_error(self, report: Report) -> dict[str, str] | None:
        if not report.error_code:
            return None
        return {"code": report.error_code, "message": report.error_message}


class ListedReportSerializer(ReportSerializer):
    """A report in the list: without what may be long."""

    class Meta(ReportSerializer.Meta):
        fields = [name for name in ReportSerializer.Meta.fields if name not in LONG_FIELDS]
        read_only_fields = fields


def replaced_options(report: Report, data: Any) -> dict[str, Any] | None:
    """The options of a form or an address that replace those of a report; None: nothing is given,
    and they stay. Raises ValidationError.
    """
    if not data:
        return None
    form = FormSerializer(data=data)
    form.is_valid(raise_exception=True)
    given = given_options(form.validated_data)
    if report.base is not None:
        given["group_by"] = group_by_of(report, given.get("group_by"))
    return given


@extend_schema_field(
    {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
)
class FilesField(serializers.ListField):
    """The files of a field that is sent once for each."""

    child = serializers.FileField()

    def run_child_validation(self, data: Any) -> Any:
        wrong = []
        for upload in data:
            try:
                self.child.run_validation(upload)
            except serializers.ValidationError as error:
                named = f"{upload.name}: " if len(data) > 1 else ""
                wrong += [f"{named}{problem}" for problem in error.detail]
        if wrong:
            raise serializers.ValidationError(wrong)
        return data


@extend_schema_field(
    {"type": "array", "items": {"type": "string", "format": "uuid"}, "default": []}
)
class UploadsField(serializers.ListField):
    """The ids of a field that is sent once for each. Blank ones count as not given."""

    child = serializers.UUIDField()

    def get_value(self, dictionary: Any) -> Any:
        found = super().get_value(dictionary)
        given = [] if found is serializers.empty else [each for each in found if each]
        return given or serializers.empty

    def run_child_validation(self, data: Any) -> Any:
        """The ids. What is wrong with them is one list, for a form names no places in one."""
        try:
            return super().run_child_validation(data)
        except serializers.ValidationError as error:
            assert isinstance(error.detail, dict)
            problems = [problem for found in error.detail.values() for problem in found]
            raise serializers.ValidationError(problems) from error


@extend_schema_field({"oneOf": [{"type": "string", "format": "uuid"}, BLANK], "default": ""})
class PidField(serializers.UUIDField):
    """The pid of a report; of a form, a blank one counts as not given."""


class SubmitSerializer(CallbackSerializer, FormSerializer):
    """The fields of an upload. A blank one counts as not given."""

    input_file = FilesField(
        required=False,
        help_text="The files, none of them empty: the field is sent once for each.",
        error_messages={"required": serializers.FileField.default_error_messages["required"]},
    )
    upload = UploadsField(
        required=False,
        help_text="The ids of uploads that came in parts, and are whole: the field is sent once "
        "for each. They come behind the files.",
    )
    base = PidField(
        required=False,
        help_text="The pid of a Done report: the files come on top of its totals. `group_by` is "
        "its own then, and the other options are about the files alone.",
    )

    def to_internal_value(self, data: Any) -> Any:
        # Either of the two will do.
        uploads = self.fields["upload"].get_value(data)
        self.fields["input_file"].required = uploads is serializers.empty
        return super().to_internal_value(data)

    def validate_upload(self, ids: list[UUID]) -> list[Upload]:
        there = Upload.objects.visible_to(self.context["request"].user).filter(removed=None)
        found = there.in_bulk(ids)
        twice = {one for one in ids if ids.count(one) > 1}
        wrong = [f"{UPLOAD_TWICE}: {one}" for one in sorted(twice)]
        for one in ids:
            if one not in found or found[one].is_gone:
                wrong.append(f"There is no such upload: {one}")
            elif found[one].completed is None or not found[one].offset:
                wrong.append(f"This upload has {found[one].offset} bytes, and is not whole: {one}")
        if wrong:
            raise serializers.ValidationError(wrong)
        return [found[one] for one in ids]

    def validate_base(self, pid: UUID) -> Report:
        base = self.context["view"].get_queryset().filter(pid=pid).first()
        if base is None:
            raise serializers.ValidationError("There is no such report.")
        if base.status != Status.DONE:
            raise serializers.ValidationError(f"The report is {base.state}: it has no totals.")
        if base.expired is not None:
            raise serializers.ValidationError(TOTALS_GONE)
        found: Report = base
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_callback(attrs)
        base, inputs = attrs.get("base"), [*attrs.get("input_file", []), *attrs.get("upload", [])]
        if base is not None:
            attrs["group_by"] = group_by_of(base, attrs.get("group_by"))
        if len(inputs) + (base is not None) > settings.BMAT_MAX_INPUTS:
            told = WITH_TOTALS_TOO_MANY if base is not None else TOO_MANY
            message = told.format(most=settings.BMAT_MAX_INPUTS)
            raise serializers.ValidationError({"input_file": [message]})
        given = given_options(attrs)
        for own in map(dict, {tuple(own_options(each, given).items()) for each in inputs}):
            check_options({**given, **own})
        return attrs


def group_by_of(base: Report, given: str | None) -> str:
    """What the totals of a report, and of those on top of it, are by, which is `given` or not.
    Raises ValidationError.
    """
    columns = ",".join(base.group_by)
    if given and Options.of({"group_by": given}).key != tuple(base.group_by):
        message = f"The totals of the report base are by {columns}: leave this out."
        raise serializers.ValidationError({"group_by": [message]})
    return columns


def own_options(given_file: ReceivedFile | Upload, given: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for one file alone, where no option goes before it: the charset that its part
    names, or what was said of it when it began to come in parts.
    """
    if isinstance(given_file, Upload):
        return {name: value for name, value in given_file.options.items() if name not in given}
    charset = given_file.charset
    if not charset or charset in UTF_8 or given.get("encoding"):
        return {}
    return {"encoding": charset}
