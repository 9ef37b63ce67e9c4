"""The parameters of a download, and the headers of what it is answered with."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from bmat.api.downloads.formats import Format
from bmat.api.schema.parameters import asked
from bmat.api.schema.uploads import SWITCH

TAG = '"6f1ed002ab5595859014ebf0951522d9"'
FILES = [200, 206, 304]


def answered(
    name: str, description: str, example: str, statuses: list[int], required: bool = True
) -> OpenApiParameter:
    """A header of an answer."""
    return OpenApiParameter(
        name,
        {"type": "string"},
        OpenApiParameter.HEADER,
        required=required,
        description=description,
        examples=[OpenApiExample(name, example)],
        response=[*statuses],
    )


def which_format(formats: tuple[Format, ...]) -> OpenApiParameter:
    """The parameter `format`, where there are these."""
    return OpenApiParameter(
        "format",
        {"type": "string", "enum": ["", *(each.name for each in formats)]},
        description="Wins over `Accept`. Parquet and JSON lines are written when they "
        "are first asked for.",
    )


EXCEL_SAFE = OpenApiParameter(
    "excel_safe",
    {**SWITCH, "enum": ["", *SWITCH["enum"]], "default": "false"},
    description="CSV only: puts an apostrophe in front of each cell that a spreadsheet would take "
    "for a formula. This changes names.",
)
ASKED = (
    asked("Range", "One range of bytes; of several, the whole file is sent.", "bytes=0-999"),
    asked("If-Range", "Sends the range only of the file that this ETag means.", TAG),
    asked("If-None-Match", "304 where the file has one of these ETags.", TAG),
    asked("Accept-Encoding", "With gzip, text is compressed, and has no ranges.", "gzip"),
)
ANSWERED = (
    answered(
        "Content-Disposition",
        "The name to save the file under.",
        'attachment; filename="plays-totals.csv"',
        [200, 206],
    ),
    answered("ETag", "Of this file, in this format and coding.", TAG, FILES),
    answered("Last-Modified", "When it was written.", "Sat, 31 Oct 2026 08:30:00 GMT", FILES),
    answered("Content-Range", "Which bytes of how many.", "bytes 1000-1999/2000", [206, 416]),
)
