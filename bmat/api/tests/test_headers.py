"""The fields that keep browsers from doing what they should not."""

import pytest

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

REPORTS = "/api/reports/"


@pytest.mark.parametrize("path", [REPORTS, f"{REPORTS}no-pid", "/api/no-such-path", "/healthz"])
def test_data_is_never_a_page(client, path):
    response = client.get(path)

    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_a_page_loads_its_own_files_and_no_others(client):
    response = client.get("/admin/login/")

    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "script-src" not in policy
    assert policy.endswith("frame-ancestors 'none'")
    assert b"<script>" not in response.content


def test_a_page_that_is_unchanged_keeps_its_policy(client):
    tag = client.get("/")["ETag"]

    response = client.get("/", headers={"If-None-Match": tag})

    assert response.status_code == 304
    assert "Content-Security-Policy" not in response


@pytest.mark.parametrize("tail", ["", "/rows", "/compare", "/output?format=xlsx", "/no-such-path"])
def test_no_cache_keeps_reports_rows_and_errors(client, done, tail):
    query = f"?with={done.pid}" if tail == "/compare" else ""

    response = client.get(f"{REPORTS}{done.pid}{tail}{query}")

    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", [REPORTS, "/api/auth/login", "/api/no-such-path"])
def test_no_cache_keeps_what_it_answers_a_post(client, path):
    assert client.post(path)["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("tail", ["summary", "output"])
def test_only_its_owner_keeps_a_file_and_asks_whether_it_is_still_there(client, done, tail):
    response = client.get(f"{REPORTS}{done.pid}/{tail}")
    response.close()

    assert response["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("method", ["get", "options", "post"])
def test_no_page_of_another_site_may_read_an_answer(client, method):
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}

    response = getattr(client, method)(REPORTS, headers=asked)

    assert [name for name in response.headers if name.startswith("Access-Control-")] == []
