"""What the operations that read results take and answer, and what says that nothing has changed."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from drf_spectacular.utils import extend_schema as operation
from rest_framework.exceptions import NotFound

from bmat.api.downloads.errors import NoRoomForFormat
from bmat.api.errors import (
    WITHOUT_FILE,
    DatabaseAway,
    FilesExpired,
    QuestionTooLarge,
    QuestionTooSlow,
    TooManyQuestionsAtOnce,
)
from bmat.api.schema.errors import bad_request, errors
from bmat.api.schema.examples import REPORT_URL, examples
from bmat.api.schema.parameters import ETAG, IF_NONE_MATCH, NOT_MODIFIED, PID, retry_after
from bmat.api.serializers.results import (
    ComparisonSerializer,
    PairSerializer,
    QuestionSerializer,
    RowsSerializer,
)

PAGE = {
    "rows": [
        {"song": "Umbrella", "date": "2020-01-01", "plays": 150},
        {"song": "Umbrella", "date": "2020-01-02", "plays": 250},
    ],
    "next": f"{REPORT_URL}/rows?song=Umbrella&limit=2&cursor=WzAsNF0%3AhF2u0zv3kBqk",
}
SUMMARY = {
    "rows_read": 8,
    "rows_counted": 7,
    "rows_rejected": 1,
    "groups": 4,
    "plays_total": 2400,
    "rejects_by_reason": {"invalid_date": 1},
    "bytes_read": 216,
    "first_day": "2020-01-01",
    "last_day": "2020-01-02",
    "top_songs": [{"song": "In The End", "plays": 2000}, {"song": "Umbrella", "plays": 400}],
    "plays_by_day": {"2020-01-01": 1650, "2020-01-02": 750},
}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
COUNTS = {"type": "object", "additionalProperties": COUNT}
DAY = {"type": "string", "format": "date"}
TOP_SONG = {
    "type": "object",
    "required": ["song", "plays"],
    "properties": {"song": {"type": "string"}, "plays": COUNT},
}
SUMMARY_SCHEMA = {
    "type": "object",
    "required": list(SUMMARY),
    "properties": {
        **{name: COUNT for name in SUMMARY},
        "rejects_by_reason": COUNTS,
        "first_day": DAY,
        "last_day": DAY,
        "top_songs": {"type": "array", "maxItems": 100, "items": TOP_SONG},
        "plays_by_day": COUNTS,
    },
}
CURSOR_REFUSED = "This cursor is not one of these rows. Follow `next`, or start without a cursor."
PREPARING = "The result is being prepared for questions. Ask again."
NOTHING = {"count": 0, "plays_before": 0, "plays": 0, "largest": []}
UP = {
    "song": "Umbrella",
    "date": None,
    "plays_before": 200,
    "plays": 400,
    "difference": 200,
    "percent": 100.0,
}
COMPARISON = {
    "new": {
        "count": 1,
        "plays_before": 0,
        "plays": 2000,
        "largest": [
            {
                "song": "In The End",
                "date": None,
                "plays_before": 0,
                "plays": 2000,
                "difference": 2000,
                "percent": None,
            }
        ],
    },
    "gone": NOTHING,
    "up": {"count": 1, "plays_before": 200, "plays": 400, "largest": [UP]},
    "down": NOTHING,
    "same": {"count": 12, "plays_before": 90, "plays": 90, "largest": []},
}
BEING_PREPARED = {
    202: OpenApiResponse(
        {"$ref": "#/components/schemas/Error"},
        "The result is large, and is being prepared for questions: ask again.",
        [OpenApiExample("being_written", {"detail": PREPARING, "code": "being_written"})],
    )
}
REFUSED = errors(
    NotFound,
    *WITHOUT_FILE.values(),
    FilesExpired,
    QuestionTooLarge,
    QuestionTooSlow,
    TooManyQuestionsAtOnce,
    DatabaseAway,
    NoRoomForFormat,
)

rows_operation = operation(
    operation_id="get_rows",
    summary="Ask a result for rows",
    description="In pages: follow `next` until it is null. `plays` is exact, whatever its size: "
    "numbers of JavaScript are not past 2^53.",
    parameters=[QuestionSerializer, PID, retry_after(202, 409)],
    responses={
        200: OpenApiResponse(RowsSerializer, "A page.", examples(page=PAGE)),
        **bad_request(
            order={"order": ['"name" is not a valid choice.']},
            cursor={"cursor": [CURSOR_REFUSED]},
        ),
        **BEING_PREPARED,
        **REFUSED,
    },
)

compare_operation = operation(
    operation_id="compare_reports",
    summary="Compare two results",
    description="The songs that are new, gone, up, down or the same from the report `with` to this "
    "one: how many, their plays in both, and the largest changes. All integers are exact.",
    parameters=[PairSerializer, PID, retry_after(202, 409)],
    responses={
        200: OpenApiResponse(ComparisonSerializer, "The changes.", examples(comparison=COMPARISON)),
        **bad_request(other={"with": ["This field is required."]}),
        **BEING_PREPARED,
        **REFUSED,
    },
)

summary_operation = operation(
    operation_id="get_summary",
    summary="What a result comes to",
    description="Counts, the songs with the most plays, the plays per day, first and last "
    "day, rejects by reason. All integers are exact, whatever their size.",
    parameters=[PID, IF_NONE_MATCH, ETAG, retry_after(409)],
    responses={
        200: OpenApiResponse(SUMMARY_SCHEMA, "The summary.", [OpenApiExample("summary", SUMMARY)]),
        **NOT_MODIFIED,
        **errors(NotFound, *WITHOUT_FILE.values(), FilesExpired),
    },
)
