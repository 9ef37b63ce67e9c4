"""Parameters and headers that more than one operation has."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from bmat.api.models.idempotency import KEY_LENGTH
from bmat.api.schema.examples import QUEUED, REPORT_URL

STATE_TAG = 'W/"9f86d081884c7d659a2feaa0c55ad015"'
# Printable ASCII; HTTP drops spaces at the ends of a header's value.
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"


def asked(name: str, description: str, example: str, **schema: str | int) -> OpenApiParameter:
    """A header that a request may have. Its example is a part of the text: on the page of the
    docs, an example in its own place is sent with everything that somebody tries.
    """
    return OpenApiParameter(
        name,
        {"type": "string", **schema},
        OpenApiParameter.HEADER,
        description=f"{description} For example `{example}`.",
    )


PID = OpenApiParameter(
    "pid",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The report's, which the upload was answered with.",
    examples=[OpenApiExample("report", QUEUED["pid"])],
)
IDEMPOTENCY_KEY = asked(
    "Idempotency-Key",
    "The same key and body give the same report, however often they are sent.",
    "6c0f4c1e-2f0b-4d53-8e8d-95c8a31cbb0d",
    minLength=1,
    maxLength=KEY_LENGTH,
    pattern=KEY_PATTERN,
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
IF_NONE_MATCH = asked(
    "If-None-Match",
    "The `ETag` of the answer that the client has: 304 where it still holds.",
    STATE_TAG,
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string"},
    OpenApiParameter.HEADER,
    required=True,
    description="Changes whenever the answer does.",
    examples=[OpenApiExample("etag", STATE_TAG)],
    response=[200, 304],
)
NOT_MODIFIED = {304: OpenApiResponse(None, "The client has the answer already.")}


def retry_after(*statuses: int) -> OpenApiParameter:
    """The header of answers with these statuses that have more to tell later."""
    return OpenApiParameter(
        "Retry-After",
        {"type": "integer", "minimum": 0},
        OpenApiParameter.HEADER,
        description="Seconds after which to ask again; only while something is being worked on.",
        response=list(statuses),
    )
