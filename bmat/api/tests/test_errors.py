"""One shape of errors, for what views answer and for what Django answers around them."""

import logging
import re
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404

from bmat.api.errors import told_as
from bmat.api.tests.fixtures import PLAYS

REPORTS = "/api/reports/"
NOT_FOUND = {"code": "not_found", "message": "Not found.", "detail": "Not found."}

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["production", "DEBUG"])
def debug(request, settings, client):
    """Once as in production, and once as a developer has it, with Django's pages for them."""
    settings.DEBUG = request.param
    client.raise_request_exception = False


@pytest.fixture
def failing(monkeypatch):
    """Lets each request end in an error that nobody expected."""

    def fail(*_, **__):
        raise RuntimeError("the internal cause")

    monkeypatch.setattr("django.core.handlers.base.BaseHandler.resolve_request", fail)


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/songs/", "/api/reports/a/b", "/api/%FF"])
def test_it_answers_an_unknown_path_of_the_api_in_json(client, debug, path):
    response = client.get(path)

    assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("path", ["/songs/", "/apis"])
def test_it_answers_another_unknown_path_with_a_page(client, path):
    response = client.get(path)

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_it_answers_what_django_cannot_understand_in_json(client, debug, monkeypatch):
    def refuse(*_):
        raise SuspiciousOperation("the internal cause")

    monkeypatch.setattr("django.core.handlers.base.BaseHandler.resolve_request", refuse)

    response = client.get(REPORTS)

    assert (response.status_code, response.json()) == (400, told_as("bad_request"))


def test_it_refuses_what_cannot_be_accepted_in_json(client):
    response = client.get(REPORTS, headers={"accept": "image/png"})

    message = "Could not satisfy the request Accept header."
    assert response.status_code == 406
    assert response.json() == told_as("not_acceptable", message)


def test_it_refuses_a_method_outside_the_views_in_json(client, monkeypatch):
    monkeypatch.setattr("bmat.api.middleware.API", "/healthz")

    response = client.put("/healthz")

    message = 'Method "PUT" not allowed.'
    assert response.status_code == 405
    assert response.json() == told_as("method_not_allowed", message)
    assert response["Allow"] == "GET, HEAD"


def test_it_tells_the_id_of_an_unexpected_error_and_nothing_else(client, debug, failing):
    response = client.get(REPORTS)

    told = response.json()
    assert response.status_code == 500
    assert response["Content-Type"] == "application/json"
    assert told == told_as("server_error") | {"error_id": told["error_id"]}
    assert b"internal cause" not in response.content
    assert UUID(told["error_id"])


def test_it_logs_the_cause_beside_the_id(client, debug, failing, caplog):
    told = client.get(REPORTS).json()

    record = next(record for record in caplog.records if record.name == "django.request")
    line = logging.Formatter("%(message)s").format(record)
    assert f"/api/reports/ [error_id {told['error_id']}]" in line
    assert "RuntimeError: the internal cause" in line


def test_it_does_the_same_for_an_error_in_a_view(client, debug, monkeypatch):
    def fail(*_):
        raise ValueError("the internal cause")

    monkeypatch.setattr("bmat.api.views.reports.ReportViewSet.filter_queryset", fail)

    response = client.get(REPORTS)

    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert b"internal cause" not in response.content


def test_it_shows_no_cause_on_other_paths_either(client, failing):
    client.raise_request_exception = False

    response = client.get("/")

    assert response.status_code == 500
    assert not re.search(b"internal cause|error_id", response.content)


@pytest.mark.parametrize("error, status, code", [
    (Http404, 404, "not_found"),
    (PermissionDenied, 403, "permission_denied"),
    (SuspiciousOperation, 400, "parse_error"),
])  # fmt: skip
def test_it_keeps_the_text_of_an_internal_refusal_to_itself(
    client, monkeypatch, error, status, code
):
    def refuse(*_):
        raise error("the internal cause")

    monkeypatch.setattr("bmat.api.views.reports.ReportViewSet.filter_queryset", refuse)

    response = client.get(REPORTS)

    assert (response.status_code, response.json().get("code")) == (status, code)
    assert b"internal cause" not in response.content


@pytest.mark.parametrize(
    "path",
    [
        "?cursor=x",
        "?cursor=%FF%zz",
        "?cursor=" + "x" * 5000,
        # p=junk, and p=2026-13-45
        "?cursor=cD1qdW5r",
        "?cursor=cD0yMDI2LTEzLTQ1",
    ],
)
def test_it_does_not_follow_a_cursor_that_it_did_not_give(client, path):
    response = client.get(REPORTS + path)

    assert response.status_code == 400
    assert response.json()["cursor"] == ["It is not one that an earlier page has given."]


@pytest.mark.parametrize("status", ["%00", "%FF", "9", "-1", "1e9", "x" * 5000])
def test_it_refuses_a_status_that_there_is_not(client, status):
    response = client.get(f"{REPORTS}?status={status}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["status"]


def test_it_says_what_is_wrong_by_field_and_keeps_the_keys_of_old_clients(client):
    response = client.post(REPORTS, {"strict": "perhaps"})

    fields = {
        "input_file": ["No file was submitted."],
        "strict": ["Must be a valid boolean."],
    }
    assert (response.status_code, response.json()) == (400, {
        **fields,
        "code": "invalid",
        "message": "input_file: No file was submitted. strict: Must be a valid boolean.",
        "fields": fields,
    })  # fmt: skip


def test_it_names_the_option_that_does_not_go_together_with_the_others(client):
    sent = {"input_file": SimpleUploadedFile("plays.csv", PLAYS), "song_column": "Date"}

    told = client.post(REPORTS, sent).json()

    [(option, [text])] = told["fields"].items()
    assert option in ("song_column", "date_column")
    assert told["message"] == f"{option}: {text}"


def test_it_gives_a_body_that_cannot_be_read_the_same_shape(client):
    response = client.post("/api/auth/login", "{", content_type="application/json")

    told = response.json()
    assert (response.status_code, told) == (400, told_as("parse_error", told["message"]))


def test_it_knows_a_precondition_that_failed_outside_the_views(client):
    response = client.get(REPORTS, headers={"If-Match": '"another"'})

    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
