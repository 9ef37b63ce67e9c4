"""What an operation may be answered with when it fails, by the class of the error: status, code and
example come from there.
"""

from collections import defaultdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import exceptions
from rest_framework.exceptions import APIException

from bmat.api.authentication import InvalidToken
from bmat.api.errors import DatabaseAway, FilesExpired, ServerError
from bmat.api.forms import UploadTooLarge
from bmat.api.throttling import TooManyRequests

Schema = dict[str, Any]
Responses = dict[int, OpenApiResponse]

ERROR_SCHEMA: Schema = {
    "type": "object",
    "description": "Every error but 400. `code` is stable; `detail` is for a person.",
    "required": ["detail", "code"],
    "properties": {
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "error_id": {"type": "string", "format": "uuid", "description": "With 500: tell this id."},
        "expired": {"type": "string", "format": "date-time", "description": "When files went."},
        "reason": {"type": "string", "description": "Why files went."},
    },
}
BAD_REQUEST_SCHEMA: Schema = {
    "type": "object",
    "description": "What is wrong, by field; under `detail` where it is the request as a whole.",
    "minProperties": 1,
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
}
# Added to what the views say by hooks.py.
SCHEMAS = {"Error": ERROR_SCHEMA, "BadRequest": BAD_REQUEST_SCHEMA}
# Any operation may be answered with these: hooks.py adds them.
ANYWHERE: tuple[type[APIException], ...] = (
    exceptions.NotAcceptable,
    TooManyRequests,
    ServerError,
    DatabaseAway,
)
# And those that ask who sends them with these.
SECURED: tuple[type[APIException], ...] = (exceptions.NotAuthenticated, InvalidToken)
DESCRIPTIONS = {
    400: "The request is wrong: what, by field.",
    401: "The request does not say who makes it, or not truly.",
    403: "Whoever makes the request may not.",
    404: "There is no such thing, or it belongs to somebody else.",
    406: "The answer cannot be had in what `Accept` asks for.",
    408: "The request came too slowly.",
    409: "The request does not go with the state of things.",
    410: "What was here has been removed, and when.",
    412: "The file is not the one that the request means.",
    413: "The request is larger than is accepted here.",
    415: "The body is of a type that is not read here.",
    416: "The file does not have the bytes that are asked for.",
    422: "The request is understood, and cannot be followed.",
    429: "Too many requests: `Retry-After` says when to come again.",
    500: "Something went wrong here. The log has the cause, under the same id.",
    503: "Come again in a moment.",
    507: "There is no room on the disk.",
}
EXTRA_EXAMPLES: dict[type[APIException], Schema] = {
    UploadTooLarge: {
        "detail": "The upload is larger than the 68719476736 bytes that are accepted here."
    },
    exceptions.UnsupportedMediaType: {
        "detail": 'Unsupported media type "application/json" in request.'
    },
    exceptions.NotAuthenticated: {"detail": "Send a token: Authorization: Token ..."},
    exceptions.PermissionDenied: {"detail": "CSRF Failed: CSRF token missing."},
    ServerError: {"error_id": "0b3d3a8e-5f0c-4a29-9d0e-2f6d3b8f5a41"},
    FilesExpired: {"expired": "2026-12-01T08:30:00+00:00", "reason": "retention"},
}


def errors(*classes: type[APIException]) -> Responses:
    """The responses that these errors make, by status, each with an example of every code."""
    by_status: dict[int, list[type[APIException]]] = defaultdict(list)
    for error in classes:
        by_status[error.status_code].append(error)
    return {status: error_response(status, found) for status, found in by_status.items()}


def error_response(status: int, classes: list[type[APIException]]) -> OpenApiResponse:
    codes = [error.default_code for error in classes]
    examples = [OpenApiExample(error.default_code, example(error)) for error in classes]
    schema = {"$ref": "#/components/schemas/Error", "properties": {"code": {"enum": codes}}}
    return OpenApiResponse(schema, DESCRIPTIONS[status], examples)


def example(error: type[APIException]) -> Schema:
    """What a client reads of the error."""
    extra = EXTRA_EXAMPLES.get(error, {})
    return {"detail": str(error.default_detail), "code": error.default_code, **extra}


def bad_request(**examples: Schema) -> Responses:
    """The response 400, with an example by name."""
    schema = {"$ref": "#/components/schemas/BadRequest"}
    shown = [OpenApiExample(name, told) for name, told in examples.items()]
    return {400: OpenApiResponse(schema, DESCRIPTIONS[400], shown)}
