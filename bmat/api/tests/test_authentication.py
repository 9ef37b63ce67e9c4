"""Who a request is from: the header `Authorization`, or the session of the page."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from knox.models import AuthToken

from bmat.api.models import Report
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db

REPORTS = "/api/reports/"
INVALID = "The token is malformed, unknown, expired or revoked."


@pytest.fixture
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


def logged_in_page():
    """A browser with alice's session on the page of the docs; what sends its CSRF token."""
    page = Client(enforce_csrf_checks=True)
    page.force_login(person("alice"))
    page.get("/api/docs/")
    return page, {"X-CSRFToken": page.cookies["csrftoken"].value}


def upload():
    return SimpleUploadedFile("plays.csv", PLAYS)


@pytest.mark.parametrize("sent", ["Token", "Token a b", "Token xyz", "Token é", "Token \xff\xfe"])
def test_it_refuses_a_token_that_is_none(client, sent):
    response = client.get(REPORTS, headers={"Authorization": sent})

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")
    assert response.json()["detail"] == INVALID


def test_it_refuses_a_token_that_has_expired_and_forgets_it(client):
    alice = person("alice")

    response = client.get(REPORTS, headers=token_of(alice, valid_days=-1))

    assert (response.status_code, response.json()["detail"]) == (401, INVALID)
    assert AuthToken.objects.count() == 0


def test_it_refuses_the_token_of_a_user_who_is_not_active(client):
    alice = person("alice")
    sent = token_of(alice)
    alice.is_active = False
    alice.save()

    assert client.get(REPORTS, headers=sent).status_code == 401


def test_it_refuses_a_wrong_token_even_where_none_is_asked_for(client, settings):
    settings.BMAT_REQUIRE_AUTH = False

    response = client.get(REPORTS, headers={"Authorization": "Token " + "0" * 64})

    assert response.status_code == 401


def test_it_does_not_know_anybody_while_the_database_is_away(client, require_auth, monkeypatch):
    def fail(*_):
        raise OperationalError("the internal cause")

    monkeypatch.setattr("knox.auth.TokenAuthentication.authenticate_credentials", fail)

    response = client.get(REPORTS, headers={"Authorization": "Token " + "0" * 64})

    assert (response.status_code, response["Retry-After"]) == (503, "2")


def test_it_says_what_to_send(client, require_auth):
    response = client.get(REPORTS)

    assert response.json()["detail"] == "Send a token: Authorization: Token ..."


def test_it_reads_nothing_of_a_strangers_upload(client, require_auth, monkeypatch):
    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)

    assert client.post(REPORTS, {"input_file": PLAYS}).status_code == 401


def test_the_session_of_the_page_will_do(client, require_auth):
    client.force_login(person("alice"))

    assert client.get(REPORTS).status_code == 200


def test_a_session_alone_changes_nothing(require_auth, submit):
    """Another site could have sent the request: it knows no CSRF token."""
    page = Client(enforce_csrf_checks=True)
    page.force_login(person("alice"))
    report = submit(owner=person("alice"))

    response = page.delete(f"{REPORTS}{report.pid}")

    assert response.status_code == 403
    assert Report.objects.count() == 1


def test_a_session_with_its_csrf_token_does(require_auth, submit):
    page, sent = logged_in_page()

    response = page.delete(f"{REPORTS}{submit(owner=person('alice')).pid}", headers=sent)

    assert response.status_code == 204


def test_nothing_of_a_sessions_upload_is_read_before_it_is_counted(settings, monkeypatch):
    """Django would look for the CSRF token in the form, and read the file on the way there."""
    settings.BMAT_REQUEST_RATE = (1, 60)
    page, sent = logged_in_page()
    page.get(REPORTS)

    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)
    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", refuse)

    assert page.post(REPORTS, {"input_file": upload()}, headers=sent).status_code == 429


def test_a_session_uploads_with_its_csrf_token(require_auth):
    page, sent = logged_in_page()

    assert page.post(REPORTS, {"input_file": upload()}, headers=sent).status_code == 201


def test_a_csrf_token_counts_in_its_header_alone(require_auth):
    page, sent = logged_in_page()
    form = {"input_file": upload(), "csrfmiddlewaretoken": sent["X-CSRFToken"]}

    response = page.post(REPORTS, form)

    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_a_token_needs_no_csrf_token(require_auth, submit):
    program = Client(enforce_csrf_checks=True)
    alice = person("alice")

    response = program.delete(f"{REPORTS}{submit(owner=alice).pid}", headers=token_of(alice))

    assert response.status_code == 204
