"""Bodies whose length nobody knows before they end: those of pipes, generators and streams."""

from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client

from bmat.api.errors import invalid, told_as
from bmat.api.models import Report
from bmat.api.tests.fixtures import PLAYS
from bmat.api.uploads import NO_END, UploadRequest

pytestmark = pytest.mark.django_db

BEFORE = b'--x\r\nContent-Disposition: form-data; name="input_file"; filename="plays.csv"\r\n\r\n'
FORM = BEFORE + PLAYS + b"\r\n--x--\r\n"


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch):
    """Django's own client makes requests of another class."""
    monkeypatch.setattr("django.test.client.WSGIRequest", UploadRequest)


def send(client, body, **environ):
    """Posts a body in chunks; the status, and the JSON that is answered."""
    stream = body if hasattr(body, "read") else BytesIO(body)
    head = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "wsgi.input": stream}
    head |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, **environ}
    response = client.generic("POST", "/api/reports/", **head)
    return response.status_code, response.json()


def test_it_takes_an_upload_in_chunks(client):
    status, _ = send(client, FORM)

    report = Report.objects.get()
    assert (status, report.input_bytes, Path(report.input_file.path).read_bytes()) == (
        201,
        len(PLAYS),
        PLAYS,
    )


def test_it_needs_a_server_that_knows_the_end(client):
    status, told = send(client, FORM, **{"wsgi.input_terminated": False})

    assert (status, told) == (400, invalid({"input_file": ["No file was submitted."]}))


def test_it_refuses_an_upload_that_breaks_off(client, left_over):
    assert send(client, BEFORE + PLAYS) == (400, told_as("parse_error", NO_END))
    assert left_over() == []


@pytest.mark.parametrize("body", [BEFORE + b"y" * 2_000_000, FORM + b"y" * 2_000_000])
def test_it_stops_at_the_limit(client, settings, left_over, body):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000

    status, told = send(client, body)

    assert (status, told["code"]) == (413, "upload_too_large")
    assert left_over() == []


class Slow(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise TimeoutError("the request came too slowly")


def test_it_says_that_an_upload_came_too_slowly(client, left_over):
    status, told = send(client, Slow())

    assert (status, told["code"]) == (408, "request_timeout")
    assert left_over() == []


def test_it_reads_the_form_of_somebody_who_is_logged_in(admin_user):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)
    browser.cookies["csrftoken"] = token = "t" * 32

    assert send(browser, FORM, HTTP_X_CSRFTOKEN=token)[0] == 201
    assert send(browser, FORM)[0] == 403
