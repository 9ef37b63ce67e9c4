"""Which host names are answered, and whose pages may change something."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.tests.fixtures import PLAYS

REPORTS = "/api/reports/"
EVIL = {"host": "evil.example"}
PATHS = ["/api/docs/", "/api/schema/", "/healthz", "/admin/", "/static/api/docs.js", "/", "/none"]
PAGE_OF_ITS_OWN = {"origin": "http://testserver"}
FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://testserver:81"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://testserver@evil.example"},
    {"origin": "ftp://testserver"},
    {"origin": "http://testserver:port"},
    {"origin": "http://[testserver"},
    {"origin": "null", "referer": "http://testserver/"},
    {"referer": "http://evil.example/testserver"},
    {"referer": "about:blank"},
    {"sec-fetch-site": "cross-site"},
]
OWN = [
    {},
    PAGE_OF_ITS_OWN,
    {"origin": "http://TESTSERVER:80"},
    # The TLS of a proxy that does not say so.
    {"origin": "https://testserver"},
    {"referer": "http://testserver/api/docs/"},
    {"referer": ""},
    {"sec-fetch-site": "same-origin"},
]

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["as it is", "DEBUG"])
def debug(request, settings):
    settings.DEBUG = request.param


@pytest.fixture
def unread(monkeypatch):
    """Fails where any of a request's body is read."""

    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)
    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", refuse)


def post(client, headers):
    return client.post(REPORTS, {"input_file": upload()}, headers=headers)


def upload():
    return SimpleUploadedFile("plays.csv", PLAYS)


@pytest.mark.parametrize("host", ["evil.example", "a b", "testserver:port", "{{1}}", "[::1"])
def test_it_refuses_another_host_and_says_which_it_answers(client, debug, host):
    response = client.get(REPORTS, headers={"host": host})

    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert response.json() == told_as(
        "unknown_host",
        "This service does not answer to the host name of this request. It answers to: "
        "testserver. DJANGO_ALLOWED_HOSTS=NAME, at its start, adds one.",
    )


def test_it_does_not_tell_strangers_which_names_it_answers(client, settings):
    settings.BMAT_IS_PUBLIC = True

    assert "testserver" not in client.get(REPORTS, headers=EVIL).json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_it_refuses_another_host_whatever_is_asked_for(client, debug, path):
    response = client.get(path, headers=EVIL)

    assert response.status_code == 400
    assert response.content.startswith((b"This service does", b'{"code":"unknown_host",'))


def test_another_host_changes_nothing(client, submit, unread):
    pid = submit().pid

    assert post(client, EVIL).status_code == 400
    assert client.delete(f"{REPORTS}{pid}", headers=EVIL).status_code == 400
    assert list(Report.objects.values_list("pid", flat=True)) == [pid]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_changes_nothing(client, submit, unread, headers):
    pid = submit().pid

    responses = [post(client, headers), client.delete(f"{REPORTS}{pid}", headers=headers)]

    told = told_as("foreign_origin")
    assert [(each.status_code, each.json()) for each in responses] == [(403, told)] * 2
    assert Report.objects.count() == 1


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_refuses_every_method_that_is_not_safe(client, unread, method):
    response = getattr(client, method)("/admin/login/", headers=FOREIGN[0])

    assert (response.status_code, response["Content-Type"]) == (403, "text/plain; charset=utf-8")


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_it_answers_a_safe_method_from_anywhere(client, method):
    assert getattr(client, method)(REPORTS, headers=FOREIGN[0]).status_code == 200


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_its_own_pages_and_programs_may_change_something(client, headers):
    assert post(client, headers).status_code == 201


@pytest.mark.parametrize("origin", ["https://a.example", "http://b.c.example:81"])
def test_a_trusted_site_may_change_something(client, settings, origin):
    settings.CSRF_TRUSTED_ORIGINS = ["https://a.example", "http://*.c.example:81"]

    assert post(client, {"origin": origin}).status_code == 201


@pytest.mark.parametrize("origin", ["http://a.example", "https://b.a.example", "https://c.example"])
def test_a_site_that_is_merely_like_a_trusted_one_may_not(client, settings, origin):
    settings.CSRF_TRUSTED_ORIGINS = ["https://a.example", "https://*.d.example"]

    assert post(client, {"origin": origin}).status_code == 403


@pytest.mark.parametrize("origin, status", [
    ("https://bmat.example", 201),
    ("https://also.bmat.example", 201),
    ("https://testserver", 201),
    ("http://testserver", 403),
    ("https://bmat.example:8443", 403),
    ("https://evil.example", 403),
])  # fmt: skip
def test_with_tls_it_takes_changes_from_pages_of_its_names_with_tls(
    client, settings, origin, status
):
    settings.ALLOWED_HOSTS = ["testserver", ".bmat.example", "*"]

    response = client.post(
        REPORTS, {"input_file": upload()}, headers={"origin": origin}, secure=True
    )

    assert response.status_code == status


def test_it_knows_an_ipv6_address(client, settings):
    settings.ALLOWED_HOSTS = ["[::1]"]
    address = {"host": "[::1]:8000", "origin": "http://[::1]:8000"}

    assert post(client, address).status_code == 201
    assert post(client, {**address, "origin": "http://[::1]:8001"}).status_code == 403
