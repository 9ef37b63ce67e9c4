"""How the API is described: what an operation takes and answers, where parameters and bodies are
those of the serializers, and errors those of the table of codes; and what drf-spectacular is told
about all operations at once.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from bmat.api.errors import CODES
from bmat.api.serializers.options import BLANK

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
NOT_MODIFIED = {304: OpenApiResponse(None, "The client has it already.")}

COLLECTIONS = ("/api/reports/", "/api/uploads/", "/api/webhooks/")

ENUM_ID = "x-spec-enum-id"

Endpoint = tuple[str, str, str, Any]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header of a token."""

    target_class = "bmat.api.access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and a space, and then what the login was answered with. A "
            "service that asks for no logins takes requests without it.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of the admin's session."""

    target_class = "bmat.api.access.SessionAuthentication"
    # What drf-spectacular calls that of the class below it.
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The admin's login. Changes need the header `X-CSRFToken` as well, with "
            "what the cookie `csrftoken` says.",
        }


def plain_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Every path answers with and without its last slash: it is written as people write it."""
    return [
        (path if path in COLLECTIONS else path.rstrip("/"), regex, method, view)
        for path, regex, method, view in endpoints
    ]


def plain_blanks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Of a text or blank, where blank is one of the texts, leaves the text: `oneOf` allows one of
    the two alone, and the docs page shows a field for each text only.
    """
    components = result["components"]["schemas"].values()
    operations = [each for path in result["paths"].values() for each in path.values()]
    fields = [each for one in components for each in one.get("properties", {}).values()]
    fields += [each["schema"] for one in operations for each in one.get("parameters", ())]
    for field in fields:
        choices = field.get("oneOf", [])
        if BLANK in choices and has_blank(choices[0]):
            field.update(field.pop("oneOf")[0])
    return result


def has_blank(text: dict[str, Any]) -> bool:
    """Whether a text of this schema may be blank."""
    return "" in text.get("enum", ()) or re.search(text.get("pattern", "."), "") is not None


def known_fields_alone(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Says that an upload has no fields but those that are described, and that a report is made of
    something.
    """
    schemas = result["components"]["schemas"]
    for name in ("SubmitRequest", "InspectRequest"):
        schemas[name]["additionalProperties"] = False
    schemas["SubmitRequest"]["anyOf"] = [{"required": ["input_file"]}, {"required": ["upload"]}]
    result["paths"]["/api/reports/"]["post"]["requestBody"]["required"] = True
    return result


def without_ids(result: Any, **_: Any) -> Any:
    """Takes out the ids by which drf-spectacular tells enumerations apart: none has a name here."""
    if isinstance(result, dict):
        return {name: without_ids(each) for name, each in result.items() if name != ENUM_ID}
    return [without_ids(each) for each in result] if isinstance(result, list) else result
