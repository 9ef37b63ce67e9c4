"""What is answered before, beside and after the views: in the API's shape of errors."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer

from bmat.api.error_ids import error_id
from bmat.api.errors import FROM_DRF, FormTooLarge, ServerError

API = "/api"
JSON = "application/json"
IDENTITY = "identity"
BAD_REQUEST = "The request cannot be understood: look at its address and headers."
CLASSES = (*FROM_DRF, FormTooLarge, ServerError)


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
        detail = f"A body with Content-Encoding {encoding:.40} is not read here: send it plain."
        code = exceptions.UnsupportedMediaType.default_code
        return HttpResponse(JSONRenderer().render({"detail": detail, "code": code}), JSON, 415)


def is_of_api(request: HttpRequest) -> bool:
    return request.path == API or request.path.startswith(f"{API}/")


def is_json(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type") == JSON


def body(request: HttpRequest, status: int) -> dict[str, Any]:
    """What the client is told about an error of which only the status is known."""
    if status == HTTPStatus.BAD_REQUEST:
        return {"detail": BAD_REQUEST}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f'Method "{request.method}" not allowed.'
        return {"detail": detail, "code": exceptions.MethodNotAllowed.default_code}
    known = {error.status_code: error for error in CLASSES}.get(status, ServerError)
    told = {"detail": str(known.default_detail), "code": known.default_code}
    given = error_id(request)
    return told if given is None else {**told, "error_id": given}


def replace(response: HttpResponse, told: dict[str, Any]) -> None:
    """Puts JSON in the place of the body; the other headers stay."""
    response.content = JSONRenderer().render(told)
    response.headers["Content-Type"] = JSON
    for header in ("Content-Length", "Content-Encoding"):
        response.headers.pop(header, None)
