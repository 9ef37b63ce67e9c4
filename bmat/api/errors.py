"""Errors as the API tells them. Whatever part of the service answers, the body has one shape:

    {"code": "<stable>", "message": "<for a person>", "fields": {"<name>": ["<what is wrong>"]}}

`fields` is there with the code `invalid` alone. Beside them stand the keys that Django REST
framework would answer with, for clients that know no others: the fields themselves, or `detail`.
`CODES` has every code. Internal text never reaches a client: what nobody expected goes on to
Django, and gets an id that is in the log, too.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import Http404, HttpRequest, UnreadablePostError
from rest_framework import exceptions
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings

from bmat.aggregation.errors import NO_ROOM, InspectionTooSlow
from bmat.api.services import database
from bmat.results import TooLarge, TooSlow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Code:
    """What a code means: its HTTP status, the text where nothing more exact is known, and after how
    many seconds a client should ask again.
    """

    status: int
    message: str
    retry_after_seconds: int | None = None


CODES: Mapping[str, Code] = {
    "invalid": Code(400, "Something that was sent is wrong: `fields` says what."),
    "parse_error": Code(400, "The body cannot be read."),
    "incomplete_body": Code(400, "The body broke off before its end."),
    "bad_request": Code(400, "The request cannot be understood: look at its address and headers."),
    "unknown_host": Code(400, "This service does not answer to the host name of this request."),
    "not_authenticated": Code(401, "Send a token: Authorization: Token ..."),
    "invalid_token": Code(401, "The token is malformed, unknown, expired or revoked."),
    "wrong_login": Code(401, "The name or the password is wrong."),
    "permission_denied": Code(403, "You do not have permission to perform this action."),
    "foreign_origin": Code(
        403,
        "A page of another site has sent this request: this service takes changes from its own "
        "pages, and from programs. DJANGO_CSRF_TRUSTED_ORIGINS adds a site, at its start.",
    ),
    "final_upload": Code(403, "This upload was joined from others: nothing can be added to it."),
    "not_found": Code(404, "Not found."),
    "method_not_allowed": Code(405, "The path has no such method: `Allow` has those that it has."),
    "not_acceptable": Code(406, "Could not satisfy the request Accept header."),
    "request_timeout": Code(408, "The body came too slowly. Send it again."),
    "report_processing": Code(
        409, "The report is processing: it has no files yet. Poll it until it is done.", 1
    ),
    "report_failed": Code(409, "The report is failed: it has no such file. Its `error` says why."),
    "report_cancelled": Code(
        409, "The report is cancelled: it has no files. Start it again with a retry."
    ),
    "no_file": Code(409, "The report is done: it has no such file."),
    "not_cancellable": Code(409, "The report has ended: there is nothing to cancel."),
    "not_retryable": Code(409, "Only failed and cancelled reports can be retried."),
    "too_many_tokens": Code(
        409,
        "You have 100 tokens. Revoke them with POST /api/auth/logoutall, or one each with "
        "POST /api/auth/logout.",
    ),
    "too_many_webhooks": Code(409, "You have 20 webhooks. Delete one that you no longer need."),
    "target_disabled": Code(
        409,
        "Nothing is sent there any more: it answered 410, or the webhook was disabled or removed.",
    ),
    "idempotency_key_reused": Code(
        409, "This Idempotency-Key was used for another file or other options. Use a new key."
    ),
    "idempotency_key_outlived": Code(
        409, "The report of this Idempotency-Key was deleted. To upload again, use a new key."
    ),
    "upload_offset_mismatch": Code(
        409, "The upload goes on elsewhere: `Upload-Offset` says how many bytes of it are here."
    ),
    "upload_used": Code(409, "An upload is a report's by now, or was removed this moment."),
    "upload_gone": Code(410, "The upload has expired, or was removed. Create another one."),
    "files_expired": Code(410, "The files of this report were removed. Upload the file again."),
    "precondition_failed": Code(
        412, "What is here is not what If-Match or If-Unmodified-Since mean."
    ),
    "tus_version": Code(412, "Send Tus-Resumable: 1.0.0, the version that is spoken here."),
    "upload_too_large": Code(413, "The upload is larger than is accepted here."),
    "form_too_large": Code(413, "The fields beside the file are too large."),
    "unsupported_media_type": Code(415, "The body is of a type that is not read here."),
    "range_not_satisfiable": Code(
        416, "The file has fewer bytes: ask for a range that begins before its end."
    ),
    "question_too_large": Code(
        422,
        "The answer needs more memory than it may have. Ask for fewer songs or days at a time.",
    ),
    "upload_locked": Code(
        423, "Another request is writing to this upload. Try again in a moment.", 1
    ),
    "rate_limited": Code(429, "There were too many requests. `Retry-After` says when to go on."),
    "too_many_transfers": Code(
        429, "You have as many uploads or downloads under way as you may: wait for one to end.", 5
    ),
    "too_many_reports": Code(429, "You have too many reports that are not finished."),
    "too_many_bytes": Code(429, "With this upload, yours would take more room than you have."),
    "checksum_mismatch": Code(
        460, "The bytes have another checksum than Upload-Checksum: send them again."
    ),
    "server_error": Code(
        500, "Something went wrong here. Whoever runs this service finds it by its id."
    ),
    "unavailable": Code(503, "The service is not available for a moment. Try again.", 2),
    "question_too_slow": Code(
        503,
        "The answer took too long to find. Try again later, or ask for fewer songs or days.",
        10,
    ),
    "too_many_uploads": Code(503, "Too many uploads are under way. Try again in a moment.", 5),
    "too_many_questions": Code(
        503, "Other questions about results are being answered. Try again in a moment.", 1
    ),
    "disk_full": Code(507, "There is no room for the upload here at the moment. Try again later."),
    "no_room_for_format": Code(
        507, "There is no room to write this format at the moment. CSV can still be had."
    ),
}
BROKEN_OFF = "The upload ended before all of it had arrived. Send it again."
INSPECTION_TOO_SLOW = (
    "It takes too long to see how this file would be read. Try again later, or start its report, "
    "which has more time."
)


class ApiError(APIException):
    """Ends a request with one of `CODES`, by default that of its class. `more` goes into the body
    beside code and message; `retry_after_seconds` is in place of the code's own.
    """

    def __init__(
        self,
        code: str = "",
        message: str = "",
        *,
        retry_after_seconds: int | None = None,
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        code = code or self.default_code
        known = CODES[code]
        self.status_code = known.status
        super().__init__(message or known.message, code)
        # The name under which DRF looks for it.
        self.wait = retry_after_seconds or known.retry_after_seconds
        self.headers, self.more = headers or {}, more


class UploadTooLarge(ApiError):
    """The request is larger than `limit_bytes`, which is BMAT_MAX_UPLOAD_BYTES for an upload."""

    def __init__(self, limit_bytes: int) -> None:
        message = f"The upload is larger than the {limit_bytes} bytes that are accepted here."
        super().__init__("upload_too_large", message)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler, with the API's shape, for Django's errors about a request that
    cannot be read, too. None: nobody expected the error.
    """
    # Imports the classes that the settings name, and those import this module.
    from rest_framework.views import exception_handler

    known = translated(error)
    response = exception_handler(known, context)
    if response is not None and isinstance(known, APIException):
        response.data = body(known)
        for name, value in getattr(known, "headers", {}).items():
            response[name] = value
    return response


def body(error: APIException) -> dict[str, Any]:
    """What a client is told of the error."""
    if isinstance(error, ValidationError):
        return invalid(error.detail)
    told = told_as(getattr(error.detail, "code", error.default_code), str(error.detail))
    return {**told, **getattr(error, "more", {})}


def told_as(code: str, message: str = "") -> dict[str, Any]:
    """The body of an error that is about the request as a whole."""
    text = message or CODES[code].message
    return {"code": code, "message": text, "detail": text}


def invalid(detail: Any) -> dict[str, Any]:
    """The body of DRF's errors by field."""
    fields = detail if isinstance(detail, dict) else {api_settings.NON_FIELD_ERRORS_KEY: detail}
    told = {"code": "invalid", "message": " ".join(sentences(fields)), "fields": fields}
    return {**fields, **told}


def sentences(fields: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong, each with the name of its field."""
    for name, problems in fields.items():
        of_field = "" if name == api_settings.NON_FIELD_ERRORS_KEY else f"{name}: "
        yield from (f"{of_field}{problem}" for problem in problems)


def translated(error: Exception) -> Exception:
    """The error that DRF can answer, for those that it cannot, or not without internal text."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return ApiError("form_too_large")
    if isinstance(error, UnreadablePostError):
        return ParseError(BROKEN_OFF)
    if isinstance(error, database.AWAY):
        logger.error("a request was answered 503: %s", error)
        return ApiError("unavailable")
    if isinstance(error, TooLarge):
        return ApiError("question_too_large")
    if isinstance(error, TooSlow):
        return ApiError("question_too_slow")
    if isinstance(error, InspectionTooSlow):
        return ApiError("question_too_slow", INSPECTION_TOO_SLOW)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        logger.info("a request was answered 507: %s", error)
        return ApiError("disk_full")
    if isinstance(error, SuspiciousOperation):
        return ParseError("The request has too many fields or files.")
    return error


@receiver(got_request_exception)
def give_id(sender: Any, request: HttpRequest, **_: Any) -> None:
    """Gives a request that failed unexpectedly an id. Django logs the traceback after this, and
    config.logs.ErrorIdFilter puts the id beside it.
    """
    request.error_id = str(uuid4())  # type: ignore[attr-defined]
