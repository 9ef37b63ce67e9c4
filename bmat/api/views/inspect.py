"""How a file would be read: `/api/inspect`, before it is uploaded; `/api/reports/<pid>/inspect`,
that of a report, with other options.
"""

from pathlib import Path
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bmat.aggregation import AggregationError, ColumnsNotFound, InputFile, Options
from bmat.api.schema import (
    BODY,
    CHANGE,
    NOT_LET_IN,
    NOT_MODIFIED,
    ON_REPORT,
    PID,
    UPLOAD,
    operation,
)
from bmat.api.serializers.options import FormSerializer, given_options, refused_option
from bmat.api.serializers.reports import ErrorField, own_options, replaced_options
from bmat.api.services import files, results
from bmat.api.services.disk import ReceivedFile
from bmat.api.uploads import HeadParser
from bmat.api.views.results import VisibleReports, answering


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


@extend_schema_view(
    post=operation(
        "inspect_file",
        "See how a file would be read",
        "Encoding, delimiter, header, columns, and the first records as they would be counted or "
        "rejected, from the beginning of a file and the options of an upload. A file that cannot "
        "be read is answered with 200, too: `error` says why. Nothing is kept.",
        {200: OpenApiResponse(InspectionSerializer, "How it would be read.")},
        *(*BODY, *NOT_LET_IN, *CHANGE, *UPLOAD, "too_many_transfers", "too_many_uploads"),
        "question_too_slow",
        request={"multipart/form-data": InspectSerializer},
        tags=["reports"],
    )
)
class InspectView(APIView):
    """How the file would be read of which this is the beginning."""

    parser_classes = (HeadParser,)
    serializer_class = InspectSerializer

    def post(self, request: Request) -> Response:
        sent = InspectSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        fields = sent.validated_data
        sent_file = fields["input_file"]
        path = Path(sent_file.temporary_file_path())
        return Response(inspected(InputFile(path, sent_file.name), given_options(fields)))


@extend_schema_view(
    get=operation(
        "inspect_report",
        "See how a report's file would be read",
        "As `/api/inspect`, of the first file that was uploaded: with the options of the address, "
        "which replace all of the report's, or with these where there are none.",
        {200: OpenApiResponse(InspectionSerializer, "How it would be read."), **NOT_MODIFIED},
        *("invalid", *ON_REPORT, *NOT_LET_IN, "no_file", "question_too_slow", "too_many_questions"),
        parameters=[PID, FormSerializer],
    )
)
class KeptInspectView(VisibleReports):
    """How the first file of a report would be read."""

    serializer_class = FormSerializer

    def get(self, request: Request, pid: str) -> Response:
        report = self.get_kept()
        options = replaced_options(report, request.query_params)
        if options is None:
            options = {**report.options, **report.inputs[0]["options"]}
        given = InputFile(files.path(report.input_file.name or ""), report.inputs[0]["name"])
        with answering(), results.a_turn():
            return Response(inspected(given, options))


def inspected(given: InputFile, options: dict[str, Any]) -> dict[str, Any]:
    """How a file would be read, as JSON. Raises ValidationError for options that cannot
    be followed with it, and InspectionTooSlow.
    """
    # Loads the compiled kernels: a process that is never asked does without.
    from bmat.aggregation import inspect

    try:
        return InspectionSerializer.shown(
            inspect(given, Options.of(options), results.ANSWER_SECONDS)
        )
    except AggregationError as error:
        if error.option is not None:
            raise refused_option(error) from error
        told = {"code": error.code, "message": error.message}
        seen = error.inspection if isinstance(error, ColumnsNotFound) else None
        return InspectionSerializer.shown(seen, told)
