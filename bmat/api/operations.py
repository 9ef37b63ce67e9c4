"""The operations on reports, results and resumable uploads, for the API's description; the others
are described beside their views. It has none for OPTIONS and HEAD of uploads: what the others say
tells about these, too.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_view

from bmat.api import tus
from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, Format
from bmat.api.models.owners import KEY_LENGTH
from bmat.api.pagination import FilterSerializer
from bmat.api.schema import (
    BODY,
    CHANGE,
    IF_NONE_MATCH,
    NOT_LET_IN,
    NOT_MODIFIED,
    ON_REPORT,
    PID,
    QUESTION,
    UPLOAD,
    WITHOUT_FILE,
    ErrorSerializer,
    Responses,
    header,
    operation,
)
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

# Printable ASCII; HTTP drops spaces at the ends of a header's value.
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "The same key and body give the same report, however often they are sent.",
    minLength=1,
    maxLength=KEY_LENGTH,
    pattern="^[!-~]([ -~]*[!-~])?$",
)
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
                SWITCH,
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

BYTES = {tus.MEDIA_TYPE: OpenApiTypes.BINARY}
NUMBER: dict[str, str | int] = {"pattern": r"^[0-9]{1,18}$"}
RESUMABLE = OpenApiParameter(
    "Tus-Resumable",
    {"type": "string", "enum": [tus.VERSION]},
    OpenApiParameter.HEADER,
    required=True,
    description="The version of the protocol.",
)
CHECKSUM = header(
    tus.CHECKSUM,
    f"The digest of the body ({', '.join(tus.ALGORITHMS)}): the algorithm, a space, Base64. Where "
    "it is wrong, nothing is added.",
)
UPLOAD_ID = OpenApiParameter(
    "upload",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The upload's, from the `Location` that its creation was answered with.",
)
OFFSET = OpenApiParameter(
    "Upload-Offset",
    {"type": "string", **NUMBER},
    OpenApiParameter.HEADER,
    required=True,
    description="Where the bytes belong: as many as the upload has by now.",
)
TOLD = (
    "`Upload-Offset` says how many bytes are safe, `Upload-Expires` until when they are kept; once "
    "there is a report, `Bmat-Report` has its pid and `Bmat-Report-Location` its address."
)
COMMON = (*NOT_LET_IN, *CHANGE, "tus_version", "invalid", "unsupported_media_type", "parse_error")
RECEIVED = (*UPLOAD, "checksum_mismatch", "too_many_transfers", "too_many_uploads")
QUOTA = ("too_many_reports", "too_many_bytes")

uploads_operations = extend_schema_view(
    post=operation(
        "create_upload",
        "Begin a resumable upload",
        "tus 1.0.0. The file then comes in one or more PATCH requests, and becomes a report with "
        "its last byte. The body may have the first bytes. `OPTIONS` on this path tells the "
        f"extensions, the largest size and the checksums. {TOLD}",
        {201: OpenApiResponse(None, "It is created: `Location` is its address.")},
        *(*COMMON, *RECEIVED, *QUOTA, "idempotency_key_reused", "idempotency_key_outlived"),
        *("upload_gone", "upload_locked", "upload_offset_mismatch"),
        parameters=[
            RESUMABLE,
            header("Upload-Length", "How many bytes it will have.", **NUMBER),
            OpenApiParameter(
                "Upload-Defer-Length",
                {"type": "string", "enum": ["1"]},
                OpenApiParameter.HEADER,
                description="Instead: a later PATCH says its length.",
            ),
            header(
                tus.METADATA,
                "Pairs of a key and a value in Base64, with commas between them: `filename`, "
                "`report` (`no`: it becomes none by itself), and every option of an upload.",
            ),
            header(
                tus.CONCAT,
                "`partial`: it is there to be joined. `final;` and the addresses of such: it is "
                "joined from them, in this order.",
            ),
            CHECKSUM,
            IDEMPOTENCY_KEY,
        ],
        request=BYTES,
        tags=["uploads"],
    )
)
upload_operations = extend_schema_view(
    patch=operation(
        "append_to_upload",
        "Send the next bytes",
        "What has arrived counts, too, where the connection breaks: `HEAD` on this path tells in "
        f"`Upload-Offset` where to go on. {TOLD} A client that can send no PATCH, DELETE or HEAD "
        "sends a POST with `X-HTTP-Method-Override`.",
        {204: OpenApiResponse(None, "They are safe on disk.")},
        *(*COMMON, *RECEIVED, *QUOTA, "not_found", "final_upload", "upload_gone"),
        *("upload_locked", "upload_offset_mismatch"),
        parameters=[
            UPLOAD_ID,
            RESUMABLE,
            OFFSET,
            header("Upload-Length", "Of an upload that did not say it at first.", **NUMBER),
            CHECKSUM,
        ],
        request=BYTES,
        tags=["uploads"],
    ),
    delete=operation(
        "terminate_upload",
        "Remove an upload",
        "Its bytes are removed. A report that it has become stays.",
        {204: OpenApiResponse(None, "It is gone.")},
        *(*NOT_LET_IN, *CHANGE, "tus_version", "not_found", "upload_gone"),
        parameters=[UPLOAD_ID, RESUMABLE],
        tags=["uploads"],
    ),
)
