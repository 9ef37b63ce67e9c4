"""How many files somebody must read who follows a request through the service."""

import sys
from pathlib import Path
from types import FrameType

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import bmat
from bmat.api.tests.fixtures import PLAYS

PACKAGE = Path(bmat.__file__).parent
MOST_FILES = 18

pytestmark = pytest.mark.django_db


def files_of(send):
    """The files of the package whose functions are called while `send` is, in order."""
    called: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in file.parents and "tests" not in file.parts:
            called[str(file.relative_to(PACKAGE))] = None

    sys.setprofile(note)
    try:
        send()
    finally:
        sys.setprofile(None)
    return list(called)


def test_an_upload_passes_few_files(client):
    def post():
        file = SimpleUploadedFile("plays.csv", PLAYS)
        assert client.post("/api/reports/", {"input_file": file}).status_code == 201

    post()
    files = files_of(post)

    assert {"api/views/reports.py", "api/services/queue.py"} <= set(files)
    assert len(files) <= MOST_FILES, "\n".join(files)
