"""Parameters and headers that more than one operation has."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from bmat.api.models.idempotency import KEY_LENGTH
from bmat.api.schema.examples import QUEUED, REPORT_URL

PID = OpenApiParameter(
    "pid",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The report's, which the upload was answered with.",
    examples=[OpenApiExample("report", QUEUED["pid"])],
)
# Printable ASCII; HTTP drops spaces at the ends of a header's value.
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH, "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    description="The same key and body give the same report, however often they are sent.",
    examples=[OpenApiExample("random", "6c0f4c1e-2f0b-4d53-8e8d-95c8a31cbb0d")],
)
LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    required=True,
    description="Where the report is polled.",
    examples=[OpenApiExample("report", REPORT_URL)],
    response=[201],
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "const": "true"},
    OpenApiParameter.HEADER,
    description="The report was there already: the key had been used for it.",
    response=[201],
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The `ETag` of the answer that the client has: 304 where it still holds.",
    examples=[OpenApiExample("etag", 'W/"9f86d081884c7d659a2feaa0c55ad015"')],
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string"},
    OpenApiParameter.HEADER,
    required=True,
    description="Changes whenever the answer does.",
    examples=[OpenApiExample("etag", 'W/"9f86d081884c7d659a2feaa0c55ad015"')],
    response=[200, 304],
)
NOT_MODIFIED = {304: OpenApiResponse(None, "The client has the answer already.")}


def retry_after(*statuses: int) -> OpenApiParameter:
    """The header of answers with these statuses that have more to tell later."""
    return OpenApiParameter(
        "Retry-After",
        {"type": "integer", "minimum": 0},
        OpenApiParameter.HEADER,
        description="Seconds after which to ask again; only while the report is processed.",
        response=list(statuses),
    )
