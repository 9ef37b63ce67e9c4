"""A finished report, and how its files are asked for."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS

REJECTED = b"Umbrella,2020-01-32,1\n"


@pytest.fixture
def done(submit: Callable[..., Report]) -> Report:
    """A report that is Done, with a rejected row. No format but CSV has been asked for."""
    return finished(submit(PLAYS + REJECTED))


def finished(report: Report) -> Report:
    process_report(report.pid, uuid4())
    report.refresh_from_db()
    return report


@pytest.fixture
def download(client: Client, done: Report) -> Callable[..., Any]:
    """Asks for a file of `done`; other arguments are headers."""

    def asked(tail: str = "output", method: str = "get", **headers: str) -> Any:
        request = getattr(client, method)
        return request(f"/api/reports/{done.pid}/{tail}", headers=headers)

    return asked


def body(response: Any) -> bytes:
    """What was sent; closes the file, as a server does."""
    content = b"".join(response.streaming_content)
    response.close()
    return content


def beside(report: Report, file_name: str) -> Any:
    """The path of a file beside the report's output."""
    return files.path(files.beside(report.output_file.name or "", file_name))
