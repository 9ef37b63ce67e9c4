"""What an operation takes and answers, for the API's description: parameters and bodies are those
of the serializers, errors those of the table of codes. And the operations on reports and results;
the others are described beside their views.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers

from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, Format
from bmat.api.errors import CODES
from bmat.api.models.owners import KEY_LENGTH
from bmat.api.pagination import FilterSerializer
from bmat.api.serializers.options import SWITCH, FormSerializer
from bmat.api.serializers.reports import (
    ListedReportSerializer,
    ReportSerializer,
    SubmitSerializer,
)
from bmat.api.serializers.results import (
    ComparisonSerializer,
    PairSerializer,
    QuestionSerializer,
    RowsSerializer,
    SummarySerializer,
)

# What any operation, one on a report, and one that changes something may be answered with.
ANYWHERE = ("not_acceptable", "rate_limited", "server_error", "unavailable")
NOT_LET_IN = ("not_authenticated", "invalid_token")
ON_REPORT = ("not_found", "files_expired")
CHANGE = ("permission_denied", "foreign_origin")
BODY = ("invalid", "parse_error", "form_too_large", "unsupported_media_type")
WITHOUT_FILE = ("report_processing", "report_failed", "report_cancelled", "no_file")
QUESTION = ("question_too_large", "question_too_slow", "too_many_questions", "no_room_for_format")
UPLOAD = ("incomplete_body", "request_timeout", "upload_too_large", "disk_full")

Responses = dict[Any, Any]
Described = TypeVar("Described", bound=Callable[..., Any])


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error. `code` is stable; `message` is for a person, and `detail` is the same for older
    clients. With `invalid`, `fields` says what is wrong, and so do keys beside it.
    """

    code = serializers.CharField()
    message = serializers.CharField()
    detail = serializers.CharField(required=False)
    fields = serializers.DictField(  # type: ignore[assignment]  # shadows what a serializer has
        child=serializers.ListField(child=serializers.CharField()), required=False
    )
    error_id = serializers.UUIDField(required=False, help_text="With 500: tell this id.")
    expired = serializers.DateTimeField(required=False, help_text="When files went.")
    reason = serializers.CharField(required=False, help_text="Why files went.")


def errors(codes: Iterable[str]) -> Responses:
    """The responses that these codes make, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[CODES[code].status].append(f"`{code}`: {CODES[code].message}")
    return {
        status: OpenApiResponse(ErrorSerializer, "\n\n".join(texts))
        for status, texts in sorted(by_status.items())
    }


def operation(
    name: str, summary: str, description: str, answers: Responses, *codes: str, **more: Any
) -> Callable[[Described], Described]:
    """The description of one operation: what it `answers`, by status, and the errors' codes."""
    responses = {**answers, **errors((*codes, *ANYWHERE))}
    described: Callable[[Described], Described] = extend_schema(
        operation_id=name, summary=summary, description=description, responses=responses, **more
    )
    return described


def header(name: str, description: str, **schema: str | int) -> OpenApiParameter:
    """A header that a request may have."""
    return OpenApiParameter(
        name, {"type": "string", **schema}, OpenApiParameter.HEADER, description=description
    )


PID = OpenApiParameter(
    "pid",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The report's, which the upload was answered with.",
)
IF_NONE_MATCH = header("If-None-Match", "The `ETag` of the answer that the client has.")
# Printable ASCII; HTTP drops spaces at the ends of a header's value.
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "The same key and body give the same report, however often they are sent.",
    minLength=1,
    maxLength=KEY_LENGTH,
    pattern="^[!-~]([ -~]*[!-~])?$",
)
NOT_MODIFIED = {304: OpenApiResponse(None, "The client has it already.")}
REPORT = OpenApiResponse(ReportSerializer, "The report.")
ASK_AGAIN = {
    202: OpenApiResponse(
        ErrorSerializer, "`being_written`: it is prepared. Ask again after `Retry-After`."
    )
}

report_operations = extend_schema_view(
    list=operation(
        "list_reports",
        "The reports, newest first",
        "In pages: `next` and `previous` are the addresses of those beside this one. What may be "
        "long, `inputs` and `rejects_sample`, has each report alone.",
        {200: ListedReportSerializer(many=True), **NOT_MODIFIED},
        *("invalid", *NOT_LET_IN),
        parameters=[FilterSerializer, IF_NONE_MATCH],
    ),
    create=operation(
        "create_report",
        "Upload files",
        "Answered once all files are safe on disk. A worker then processes them: poll the "
        "`Location`. "
        "Sent again with the same `Idempotency-Key`, it creates nothing, and says so in "
        "`Idempotent-Replayed`.",
        {201: REPORT},
        *(*BODY, *NOT_LET_IN, *CHANGE, "idempotency_key_reused", "idempotency_key_outlived"),
        *(*UPLOAD, "upload_used"),
        *("too_many_reports", "too_many_bytes", "too_many_transfers", "too_many_uploads"),
        parameters=[IDEMPOTENCY_KEY],
        request={"multipart/form-data": SubmitSerializer},
    ),
    retrieve=operation(
        "get_report",
        "Poll a report",
        "`status` is 0 while it is processed, 1 Done, 2 Failed, 3 Cancelled.",
        {200: REPORT, **NOT_MODIFIED},
        *(*ON_REPORT, *NOT_LET_IN),
        parameters=[PID, IF_NONE_MATCH],
    ),
    destroy=operation(
        "delete_report",
        "Remove a report",
        "It is stopped where it runs, and its files are removed.",
        {204: OpenApiResponse(None, "It is gone.")},
        *("not_found", *NOT_LET_IN, *CHANGE),
        parameters=[PID],
    ),
    cancel=operation(
        "cancel_report",
        "Stop a report",
        "It stops within a second, and is kept as Cancelled. Can be repeated.",
        {200: REPORT},
        *(*ON_REPORT, *NOT_LET_IN, *CHANGE, "not_cancellable"),
        parameters=[PID],
        request=None,
    ),
    retry=operation(
        "retry_report",
        "Start a report again",
        "A Failed or Cancelled one, on the files that were uploaded. Where any option is sent, "
        "blank or not, those that are replace all of before.",
        {202: REPORT},
        *(*ON_REPORT, *NOT_LET_IN, *CHANGE, *BODY, "incomplete_body", "request_timeout"),
        *("not_retryable", "too_many_reports"),
        parameters=[PID],
        request={"multipart/form-data": FormSerializer},
    ),
)
rows_operation = operation(
    "get_rows",
    "Ask a result for rows",
    "In pages: follow `next` until it is null. A row has each column that the totals are by: "
    "`song`, unless `group_by` said otherwise. `plays` is exact, whatever its size: numbers of "
    "JavaScript are not past 2^53.",
    {200: RowsSerializer, **NOT_MODIFIED, **ASK_AGAIN},
    *("invalid", *ON_REPORT, *NOT_LET_IN, *WITHOUT_FILE, *QUESTION),
    parameters=[PID, QuestionSerializer],
)
compare_operation = operation(
    "compare_reports",
    "Compare two results",
    "The songs, or what else the totals are by, that are new, gone, up, down or the same from the "
    "report `with` to this one: how many, their plays in both, and the largest changes. Both have "
    "to be by the same columns. All integers are exact.",
    {200: ComparisonSerializer, **NOT_MODIFIED, **ASK_AGAIN},
    *("invalid", *ON_REPORT, *NOT_LET_IN, *WITHOUT_FILE, *QUESTION),
    parameters=[PID, PairSerializer],
)
summary_operation = operation(
    "get_summary",
    "What a result comes to",
    "Counts, the songs with the most plays, the plays per day, first and last day, rejects by "
    "reason. All integers are exact, whatever their size.",
    {200: SummarySerializer, **NOT_MODIFIED},
    *(*ON_REPORT, *NOT_LET_IN, *WITHOUT_FILE),
    parameters=[PID, IF_NONE_MATCH],
)


def download(name: str, summary: str, *formats: Format, asked: Responses | None = None) -> Any:
    """The description of a download in these formats; `asked`, where one may have to be written."""
    files = {
        (status, each.media_types[-1 if each == CSV else 0]): OpenApiResponse(
            OpenApiTypes.STR if each.is_text else OpenApiTypes.BINARY, description
        )
        for status, description in ((200, "The file."), (206, "A range of it."))
        for each in formats
    }
    names = ["", *(each.name for each in formats)]
    get = operation(
        name,
        summary,
        "A file never changes: its ETag says what a client has, and a range goes on where a "
        "download broke off.",
        {**files, **NOT_MODIFIED, **(asked or {})},
        *("invalid", *ON_REPORT, *NOT_LET_IN, *WITHOUT_FILE, "precondition_failed"),
        *("range_not_satisfiable", *(["no_room_for_format"] if asked else [])),
        parameters=[
            PID,
            OpenApiParameter(
                "format",
                {"type": "string", "enum": names},
                description="Wins over `Accept`. Formats but CSV are written when they are wanted.",
            ),
            OpenApiParameter(
                "excel_safe",
                {**SWITCH, "enum": ["", *SWITCH["enum"]]},
                description="CSV only: puts an apostrophe in front of each cell that a spreadsheet "
                "would take for a formula. This changes names.",
            ),
            header("Range", "One range of bytes, `bytes=0-999`; of several, all of the file."),
            header("If-Range", "Sends the range only of the file that this ETag means."),
            IF_NONE_MATCH,
            header("Accept-Encoding", "With `gzip`, text is compressed, and has no ranges."),
        ],
    )
    return extend_schema_view(get=get)


output_operation = download(
    "get_output", "Download the totals", CSV, PARQUET, JSON_LINES, asked=ASK_AGAIN
)
rejects_operation = download("get_rejects", "Download the rows that were not counted", CSV)
