"""What is answered before, beside and after the views: in the API's shape of errors."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.renderers import JSONRenderer

from bmat.api.errors import CODES, told_as

API = "/api"
JSON = "application/json"
# What Django, and what stands around the views, answers with these statuses.
BY_STATUS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.FORBIDDEN: "permission_denied",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.PRECONDITION_FAILED: "precondition_failed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "form_too_large",
}
IDENTITY = "identity"


class ApiErrorsMiddleware:
    """Belongs in front of all but those that add fields to every answer. Whatever else answers a
    path of the API with an error (the URL resolver, another middleware, Django's page for what
    nobody expected, its pages for developers), the client gets the same JSON as from a view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 400 and is_of_api(request) and not is_json(response):
            replace(response, body(request, response.status_code))
        return response


class PlainBodiesMiddleware:
    """Refuses a compressed body: it would be read as what it is not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        encoding = request.headers.get("Content-Encoding", IDENTITY).strip().lower()
        if encoding in (IDENTITY, ""):
            return self.get_response(request)
        message = f"A body with Content-Encoding {encoding:.40} is not read here: send it plain."
        return refusal(request, "unsupported_media_type", message)


def is_of_api(request: HttpRequest) -> bool:
    return request.path == API or request.path.startswith(f"{API}/")


def is_json(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type") == JSON


def body(request: HttpRequest, status: int) -> dict[str, Any]:
    """What the client is told about an error of which only the status is known."""
    is_method = status == HTTPStatus.METHOD_NOT_ALLOWED
    message = f'Method "{request.method}" not allowed.' if is_method else ""
    told = told_as(BY_STATUS.get(status, "server_error"), message)
    error_id = getattr(request, "error_id", None)
    return told if error_id is None else {**told, "error_id": error_id}


def replace(response: HttpResponse, told: dict[str, Any]) -> None:
    """Puts JSON in the place of the body; the other headers stay."""
    response.content = JSONRenderer().render(told)
    response.headers["Content-Type"] = JSON
    for header in ("Content-Length", "Content-Encoding"):
        response.headers.pop(header, None)


def refusal(request: HttpRequest, code: str, message: str = "") -> HttpResponse:
    """The answer of an error that no view raises, in the API's shape or as plain text."""
    told, status = told_as(code, message), CODES[code].status
    if is_of_api(request):
        return HttpResponse(JSONRenderer().render(told), JSON, status)
    return HttpResponse(f"{told['message']}\n", "text/plain; charset=utf-8", status)
