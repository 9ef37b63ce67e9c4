"""Errors as the API tells them: always JSON in DRF's shape, never an internal text."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views import defaults
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from bmat.api.models import Report
from bmat.api.services import database, disk
from bmat.api.uploads import BROKEN_OFF, DiskFull

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"


class FormTooLarge(APIException):
    """The option fields, which Django holds in memory, are too large."""

    status_code = 413
    default_detail = "The fields beside the file are too large."
    default_code = "form_too_large"


class Conflict(APIException):
    """The report, or the Idempotency-Key, is in a state that does not allow the request."""

    status_code = 409
    default_code = "conflict"


class Gone(APIException):
    """What was there has been removed."""

    status_code = 410
    default_code = "gone"


class FilesExpired(Gone):
    """The files of a report have had their time. Says when they were removed, and why."""

    def __init__(self, report: Report) -> None:
        removed = (report.expired or timezone.now()).isoformat(timespec="seconds")
        super().__init__(
            {
                "detail": f"The files of this report were removed on {removed}: they are kept for "
                f"{settings.BMAT_RETENTION_DAYS:g} days after its end. Upload the file again.",
                "expired": removed,
                "reason": "retention",
            }
        )


class DatabaseAway(APIException):
    """The database is restarting, or cannot be reached."""

    status_code = 503
    default_detail = "The service is not available for a moment. Try again."
    default_code = "unavailable"
    # What DRF answers as Retry-After.
    wait = 2


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
    if isinstance(error, database.AWAY):
        logger.error("a request was answered 503: %s", error)
        return DatabaseAway()
    if isinstance(error, OSError) and error.errno in disk.FULL:
        logger.error("a request was answered 507: %s", error)
        return DiskFull()
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
