"""What the downloads of a report's files take and answer."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from drf_spectacular.utils import extend_schema as operation
from drf_spectacular.utils import extend_schema_view as operations
from rest_framework.exceptions import NotFound

from bmat.api.errors import FilesExpired, NoFile, NotReady
from bmat.api.schema.errors import errors
from bmat.api.schema.parameters import PID, retry_after

TOTALS = "Song,Date,Total Number of Plays for Date\nUmbrella,2020-01-01,150\n"
REJECTS = 'Line,Reason,Record\n5,invalid_date,"Umbrella,2020-01-32,1"\n'
DISPOSITION = OpenApiParameter(
    "Content-Disposition",
    {"type": "string"},
    OpenApiParameter.HEADER,
    required=True,
    description="The name to save the file under.",
    examples=[OpenApiExample("totals", 'attachment; filename="plays-totals.csv"')],
    response=[200],
)


def download(operation_id: str, summary: str, content: str) -> Any:
    """The description of a download whose CSV looks like `content`."""
    csv = OpenApiResponse({"type": "string"}, "The file.", [OpenApiExample("csv", content)])
    get = operation(
        operation_id=operation_id,
        summary=summary,
        description="409 while there is no such file, 410 once it has been removed.",
        parameters=[PID, DISPOSITION, retry_after(409)],
        responses={(200, "text/csv"): csv, **errors(NotFound, NotReady, NoFile, FilesExpired)},
    )
    return operations(get=get)


output_operation = download("get_output", "Download the totals", TOTALS)
rejects_operation = download("get_rejects", "Download the rows that were not counted", REJECTS)
