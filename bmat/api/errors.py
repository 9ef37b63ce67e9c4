"""Errors as the API tells them: always JSON in DRF's shape, never an internal text."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from bmat.api.uploads import BROKEN_OFF

API_PREFIX = "/api/"


class FormTooLarge(APIException):
    """The option fields, which Django holds in memory, are too large."""

    status_code = 413
    default_detail = "The fields beside the file are too large."
    default_code = "form_too_large"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler, which also knows Django's errors about a request that cannot be
    read.
    """
    return exception_handler(translated(error), context)


def translated(error: Exception) -> Exception:
    """The error that DRF can answer, for those that it cannot."""
    if isinstance(error, RequestDataTooBig):
        return FormTooLarge()
    if isinstance(error, UnreadablePostError):
        return ParseError(BROKEN_OFF)
    if isinstance(error, SuspiciousOperation):
        return ParseError("The request has too many fields or files.")
    return error


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The site's 404: JSON for paths of the API."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse({"detail": "Not found."}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The site's 500: JSON for paths of the API. The log has the cause."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse({"detail": "A server error occurred."}, status=500)
    return defaults.server_error(request)
