"""What the downloads of a report's files take and answer."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from drf_spectacular.utils import extend_schema as operation
from drf_spectacular.utils import extend_schema_view as operations
from rest_framework.exceptions import APIException, NotFound

from bmat.api.downloads.errors import NoRoomForFormat, PreconditionFailed, RangeNotSatisfiable
from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, Format
from bmat.api.errors import WITHOUT_FILE, FilesExpired
from bmat.api.schema.download_headers import ANSWERED, ASKED, EXCEL_SAFE, which_format
from bmat.api.schema.errors import bad_request, errors
from bmat.api.schema.parameters import PID, retry_after
from bmat.api.throttling import TooManyRequests
from bmat.api.transfers import TooManyTransfers

TOTALS = "Song,Date,Total Number of Plays for Date\nUmbrella,2020-01-01,150\n"
LINES = '{"song":"Umbrella","date":"2020-01-01","plays":150}\n'
REJECTS = 'Line,Reason,Record\n5,invalid_date,"Umbrella,2020-01-32,1"\n'
BEING_WRITTEN = {
    "detail": "The totals are being written as jsonl. Ask again.",
    "code": "being_written",
}
REFUSED: tuple[type[APIException], ...] = (
    NotFound,
    *WITHOUT_FILE.values(),
    FilesExpired,
    PreconditionFailed,
    RangeNotSatisfiable,
    TooManyRequests,
    TooManyTransfers,
)


def file_response(format_: Format, content: str, description: str) -> OpenApiResponse:
    """A file of this format, which may look like `content`."""
    schema = {"type": "string"} if format_.is_text else {"type": "string", "format": "binary"}
    return OpenApiResponse(schema, description, [OpenApiExample(format_.name, content)])


def download(operation_id: str, summary: str, contents: dict[Format, str], **more: Any) -> Any:
    """The description of a download whose files look like `contents`; `more` responses."""
    files = {
        (status, format_.media_types[-1 if format_ == CSV else 0]): file_response(
            format_, content, description
        )
        for status, description in ((200, "The file."), (206, "A range of it."))
        for format_, content in contents.items()
    }
    wrong_format = {"format": ['"xlsx" is not a valid choice.']}
    get = operation(
        operation_id=operation_id,
        summary=summary,
        description="409 while there is no such file, 410 once it has been removed. A file never "
        "changes: its ETag says what a client has, and a range goes on where a download broke off.",
        parameters=[
            PID,
            which_format(tuple(contents)),
            EXCEL_SAFE,
            *ASKED,
            *ANSWERED,
            retry_after(202, 409),
        ],
        responses={
            **files,
            304: OpenApiResponse(None, "The client has the file."),
            **bad_request(unknown_format=wrong_format),
            **errors(*REFUSED, *more.get("refused", ())),
            **more.get("responses", {}),
        },
    )
    return operations(get=get)


WRITTEN_FIRST = {
    202: OpenApiResponse(
        {"$ref": "#/components/schemas/Error"},
        "The format is being written: ask again.",
        [OpenApiExample("being_written", BEING_WRITTEN)],
    )
}
output_operation = download(
    "get_output",
    "Download the totals",
    {CSV: TOTALS, PARQUET: "PAR1...", JSON_LINES: LINES},
    responses=WRITTEN_FIRST,
    refused=(NoRoomForFormat,),
)
rejects_operation = download(
    "get_rejects", "Download the rows that were not counted", {CSV: REJECTS}
)
