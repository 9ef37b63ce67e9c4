"""How many files somebody must read who follows a request through the service."""

import re
import sys
from pathlib import Path
from types import FrameType

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import bmat
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import person, token_of

PROJECT = Path(bmat.__file__).parents[1]
FOLDERS = (PROJECT / "bmat", PROJECT / "config")
MOST_FILES = 15
DOCUMENT = PROJECT / "docs" / "architecture.md"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limits(settings):
    """Everything is limited, as in production."""
    settings.BMAT_REQUIRE_AUTH = True
    settings.BMAT_REQUEST_RATE = (600, 60)
    settings.BMAT_MAX_RUNNING_REPORTS = 100
    settings.BMAT_MAX_STORED_BYTES = 2**30


def files_of(send):
    """The files of the project whose functions are called while `send` is, in order."""
    called: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        is_ours = any(folder in file.parents for folder in FOLDERS) and "tests" not in file.parts
        # What is imported meanwhile is imported once in a process.
        if event == "call" and is_ours and frame.f_code.co_name != "<module>":
            called[str(file.relative_to(PROJECT))] = None

    sys.setprofile(note)
    try:
        send()
    finally:
        sys.setprofile(None)
    return list(called)


def test_an_upload_passes_the_few_files_that_the_documents_name(client, limits):
    alice = token_of(person("alice"))

    def post():
        file = SimpleUploadedFile("plays.csv", PLAYS)
        sent = client.post("/api/reports/", {"input_file": file}, headers=alice)
        assert sent.status_code == 201

    post()
    files = files_of(post)

    assert len(files) <= MOST_FILES, "\n".join(files)
    assert re.findall(r"^\d+\. `([^`]+)`", DOCUMENT.read_text(), re.MULTILINE) == files
