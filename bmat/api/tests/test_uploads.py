"""The streaming of an upload: its limit, and what becomes of one that breaks off."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.http import UnreadablePostError

from bmat.api.errors import BROKEN_OFF, told_as
from bmat.api.models import Report
from bmat.api.services.disk import ReceivedFile

pytestmark = pytest.mark.django_db


def post(client, content, **fields):
    return client.post(
        "/api/reports/", {"input_file": SimpleUploadedFile("plays.csv", content), **fields}
    )


def test_it_accepts_an_upload_of_exactly_the_limit(client, settings):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000

    assert post(client, b"x" * 1000).status_code == 201


def test_it_refuses_an_upload_past_the_limit_and_leaves_nothing(client, settings, left_over):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000

    response = post(client, b"x" * 1001)

    message = "The upload is larger than the 1000 bytes that are accepted here."
    assert response.status_code == 413
    assert response.json() == told_as("upload_too_large", message)
    assert left_over() == []


def test_it_reads_nothing_of_an_upload_that_says_it_is_too_large(client, settings, monkeypatch):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000

    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)

    assert post(client, b"x" * 2_000_000).status_code == 413


def test_it_stops_writing_once_the_limit_is_passed(client, settings, monkeypatch):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000
    written = []
    monkeypatch.setattr(TemporaryUploadedFile, "write", lambda _, chunk: written.append(chunk))

    assert post(client, b"x" * 1_000_000).status_code == 413
    assert sum(map(len, written)) <= 1000


def test_it_never_holds_an_upload_in_memory(client, monkeypatch):
    seen: list[type] = []

    def submit(submission):
        seen.extend(type(one.put_at.__self__) for one in submission.inputs)
        return Report()

    monkeypatch.setattr("bmat.api.views.reports.submit_report", submit)
    post(client, b"x")

    assert seen == [ReceivedFile]


def test_it_refuses_an_upload_that_breaks_off(client, left_over):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="input_file"; filename="a.csv"\r\n\r\nSong,D'
    )

    response = client.generic(
        "POST",
        "/api/reports/",
        body,
        "multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": str(len(body) + 1), "wsgi.input": BytesIO(body)},
    )

    assert response.status_code == 400
    assert response.json()["detail"] == BROKEN_OFF
    assert left_over() == []


def test_it_refuses_an_upload_whose_connection_fails(client, monkeypatch, left_over):
    def fail(*_):
        raise UnreadablePostError("the internal cause")

    monkeypatch.setattr("django.http.request.HttpRequest.read", fail)

    response = post(client, b"x")

    assert response.status_code == 400
    assert response.json() == told_as("parse_error", BROKEN_OFF)
    assert left_over() == []


def test_it_refuses_a_body_that_is_no_form(client):
    response = client.generic("POST", "/api/reports/", b"x", "multipart/form-data")

    assert response.status_code == 400
    message = "Content-Type names no boundary: it must be multipart/form-data; boundary=..."
    assert response.json() == told_as("parse_error", message)


def test_it_refuses_option_fields_too_large_for_memory(client, settings, left_over):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    response = post(client, b"x", song_column="y" * 200)

    assert response.status_code == 413
    message = "The fields beside the file are too large."
    assert response.json() == told_as("form_too_large", message)
    assert left_over() == []


def test_it_refuses_a_request_of_very_many_fields(client):
    response = post(client, b"x", **{f"field_{number}": "" for number in range(1100)})

    assert response.status_code == 400
    assert response.json() == told_as("parse_error", "The request has too many fields or files.")
