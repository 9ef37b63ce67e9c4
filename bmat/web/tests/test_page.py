"""The page's document, its addresses, and the form to log in."""

from pathlib import Path

import pytest

from bmat.api.tests.people import PASSWORD, person
from bmat.web import views

pytestmark = pytest.mark.django_db

PID = "559d2c5e-4f0b-4b3c-9d55-6c1c2f0a9d3e"
ADDRESSES = [
    "/",
    f"/reports/{PID}",
    f"/reports/{PID}/",
    f"/reports/{PID}/compare/{PID}",
    "/account",
]
WEB = Path(views.__file__).parent


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_is_the_same_document(client, address):
    response = client.get(address)

    assert response.status_code == 200
    assert 'src="/static/web/main.js"' in response.content.decode()
    assert "csrftoken" in response.cookies


def test_the_document_names_the_modules_of_its_view_at_once(client):
    named = '<link rel="modulepreload" href="/static/web/{}.js">'.format
    report = client.get(f"/reports/{PID}").content.decode()

    assert named("views/report") in report and named("report/totals") in report
    assert named("views/home") not in report
    assert named("views/home") in client.get("/").content.decode()


def test_a_page_runs_nothing_but_its_own_files(client):
    policy = client.get("/")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_no_template_has_inline_code_or_styles():
    for template in (WEB / "templates").rglob("*.html"):
        text = template.read_text()
        assert " style=" not in text and " on" + "click=" not in text and "<script>" not in text


def test_whoever_is_not_logged_in_is_sent_to_the_form(client, settings):
    settings.BMAT_REQUIRE_AUTH = True

    response = client.get("/account")

    assert response.status_code == 302
    assert response["Location"] == "/login?next=/account"


def test_a_login_leads_to_where_one_wanted_to_go(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    person("alice")

    response = client.post(
        "/login", {"username": "alice", "password": PASSWORD, "next": "/account"}
    )

    assert response["Location"] == "/account"
    assert "alice" in client.get("/account").content.decode()


def test_a_login_never_leads_to_another_site(client):
    person("alice")
    form = {"username": "alice", "password": PASSWORD, "next": "https://elsewhere.example/"}

    assert client.post("/login", form)["Location"] == "/"


def test_a_wrong_password_says_so_and_nothing_more(client):
    person("alice")

    response = client.post("/login", {"username": "alice", "password": "wrong"})

    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()


def test_logging_out_leads_to_the_form(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    client.force_login(person("alice"))

    response = client.post("/logout")

    assert response["Location"] == "/login"
    assert client.get("/").status_code == 302


def test_whoever_guesses_too_often_is_told_so_on_a_page(client, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 2
    person("alice")

    answers = [client.post("/login", {"username": "alice", "password": "wrong"}) for _ in range(2)]

    assert answers[-1].status_code == 429
    assert "2 failed attempts" in answers[-1].content.decode()
