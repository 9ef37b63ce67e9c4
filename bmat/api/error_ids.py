"""The id of an error that nobody expected: the client is told it, and the log has it beside the
traceback.
"""

import logging
from typing import Any
from uuid import uuid4

from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest


@receiver(got_request_exception)
def give_id(sender: Any, request: HttpRequest, **_: Any) -> None:
    """Gives the failed request an id. Django logs the traceback after this."""
    request.error_id = str(uuid4())  # type: ignore[attr-defined]


def error_id(request: Any) -> str | None:
    """The id of the error that ended the request; None where nothing unexpected did."""
    return getattr(request, "error_id", None)


class ErrorIdFilter(logging.Filter):
    """Puts the id into the line that Django logs about the request."""

    def filter(self, record: logging.LogRecord) -> bool:
        given = error_id(getattr(record, "request", None))
        if given is not None:
            record.msg, record.args = f"{record.getMessage()} [error_id {given}]", ()
        return True
