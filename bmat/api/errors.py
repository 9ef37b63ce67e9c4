"""Errors as the API tells them. A bad request (400) has DRF's shape; every other one is

    {"detail": "<text for a person>", "code": "<stable code>", ...}

with one class for each code: docs/api.md has them all. Internal text never reaches a client: what
nobody expected goes on to Django, and gets an id that is in the log (see error_ids.py).
"""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from bmat.aggregation.errors import NO_ROOM
from bmat.api.forms import BROKEN_OFF
from bmat.api.models import Report
from bmat.api.received import DiskFull
from bmat.api.services import database
from bmat.results import TooLarge, TooSlow

logger = logging.getLogger(__name__)


class FormTooLarge(APIException):
    """The option fields, which Django holds in memory, are too large."""

    status_code = 413
    default_detail = "The fields beside the file are too large."
    default_code = "form_too_large"


class Conflict(APIException):
    """What is asked for does not go with what is there."""

    status_code = 409
    default_detail = "The request does not go with the state that the report is in."
    default_code = "conflict"


class NotCancellable(Conflict):
    """The report has ended."""

    default_detail = "The report is done: there is nothing to cancel."
    default_code = "not_cancellable"


class NotRetryable(Conflict):
    """The report is processed, or Done."""

    default_detail = "The report is done: retry is for failed and cancelled ones."
    default_code = "not_retryable"


class ReportProcessing(Conflict):
    """The report has no files yet."""

    default_detail = "The report is processing: it has no files yet. Poll it until it is done."
    default_code = "report_processing"
    # What DRF answers as Retry-After.
    wait = 1


class ReportFailed(Conflict):
    """The report has ended without files."""

    default_detail = "The report is failed: it has no files. Its `error` says why."
    default_code = "report_failed"


class ReportCancelled(Conflict):
    """The report was stopped before it had files."""

    default_detail = "The report is cancelled: it has no files. Start it again with a retry."
    default_code = "report_cancelled"


class NoFile(Conflict):
    """The report is done, without this file."""

    default_detail = "The report is done: it has no such file."
    default_code = "no_file"


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key stands for another upload."""

    default_detail = (
        "This Idempotency-Key was used for another file or other options. Use a new key."
    )
    default_code = "idempotency_key_reused"


class IdempotencyKeyOutlived(Conflict):
    """The report that the Idempotency-Key stands for was deleted."""

    default_detail = (
        "The report of this Idempotency-Key was deleted. To upload again, use a new key."
    )
    default_code = "idempotency_key_outlived"


class Gone(APIException):
    """What was there has been removed."""

    status_code = 410
    default_detail = "What was here has been removed."
    default_code = "gone"


class FilesExpired(Gone):
    """The files of a report have had their time. Says when they were removed, and why."""

    default_detail = (
        "The files of this report were removed on 2026-12-01T08:30:00+00:00: they are kept for "
        "30 days after its end. Upload the file again."
    )
    default_code = "files_expired"

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


class ServerError(APIException):
    """What nobody expected. Never raised: it describes what Django answers."""

    default_detail = "Something went wrong here. Whoever runs this service finds it by its id."
    default_code = "server_error"


class DatabaseAway(APIException):
    """The database is restarting, or cannot be reached."""

    status_code = 503
    default_detail = "The service is not available for a moment. Try again."
    default_code = "unavailable"
    # What DRF answers as Retry-After.
    wait = 2


class QuestionTooLarge(APIException):
    """The answer to a question about a result needs more memory than it may have."""

    status_code = 422
    default_detail = (
        "The answer needs more memory than it may have. Ask for fewer songs or days at a time."
    )
    default_code = "question_too_large"


class QuestionTooSlow(APIException):
    """The answer to a question about a result took longer than it may."""

    status_code = 503
    default_detail = (
        "The answer took too long to find. Try again later, or ask for fewer songs or days."
    )
    default_code = "question_too_slow"
    wait = 10


class TooManyQuestionsAtOnce(APIException):
    """As many questions about results are being answered as this process takes at a time."""

    status_code = 503
    default_detail = "Other questions about results are being answered. Try again in a moment."
    default_code = "too_many_questions"
    wait = 1


WITHOUT_FILE: dict[int, type[Conflict]] = {
    Report.Status.PROCESSING: ReportProcessing,
    Report.Status.DONE: NoFile,
    Report.Status.FAILED: ReportFailed,
    Report.Status.CANCELLED: ReportCancelled,
}


# Of a report that is done.
NOT_KEPT = (
    "This result has no such file: it was removed this moment, or made by an earlier version of "
    "this service. Upload the file again."
)


def no_file(report: Report) -> Conflict:
    """Why a file of the report is not there."""
    return WITHOUT_FILE[report.status]()


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler, which also knows Django's errors about a request that cannot be
    read, and adds the code. None: nobody expected the error.
    """
    response = exception_handler(translated(error), context)
    if response is not None and response.status_code != 400:
        response.data["code"] = response.data["detail"].code
    return response


def translated(error: Exception) -> Exception:
    """The error that DRF can answer, for those that it cannot, or not without internal text."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return FormTooLarge()
    if isinstance(error, UnreadablePostError):
        return ParseError(BROKEN_OFF)
    if isinstance(error, database.AWAY):
        logger.error("a request was answered 503: %s", error)
        return DatabaseAway()
    if isinstance(error, TooLarge):
        return QuestionTooLarge()
    if isinstance(error, TooSlow):
        return QuestionTooSlow()
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        logger.error("a request was answered 507: %s", error)
        return DiskFull()
    if isinstance(error, SuspiciousOperation):
        return ParseError("The request has too many fields or files.")
    return error


# Never answered as such: what is more exact builds on them.
ABSTRACT = (Conflict, Gone)
# Those of DRF that a request can be answered with.
FROM_DRF = (
    exceptions.NotAuthenticated,
    exceptions.PermissionDenied,
    exceptions.NotFound,
    exceptions.MethodNotAllowed,
    exceptions.NotAcceptable,
    exceptions.UnsupportedMediaType,
)
