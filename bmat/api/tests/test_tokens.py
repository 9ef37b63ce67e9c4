"""`/api/tokens/`: the tokens of whoever asks."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from bmat.api.models import TokenName
from bmat.api.services import tokens
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


@pytest.fixture
def alice(client):
    """A browser in which alice is logged in."""
    client.force_login(person("alice"))
    return client


def make(client, headers=None, **given):
    body = {"name": "a script", **given}
    return client.post("/api/tokens/", body, content_type="application/json", headers=headers)


def listed(client, headers=None):
    return client.get("/api/tokens/", headers=headers).json()


def opens(token):
    return Client().get("/api/reports/", headers={"Authorization": f"Token {token}"}).status_code


def days_left(told):
    return (datetime.fromisoformat(told["expiry"]) - timezone.now()) / timedelta(days=1)


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_makes_a_token_with_a_name_that_opens_the_api(alice, slash):
    given = {"name": "nightly upload"}

    response = alice.post(f"/api/tokens{slash}", given, content_type="application/json")

    assert response.status_code == 201
    told = response.json()
    assert told["name"] == "nightly upload"
    assert told["token"].startswith(told["starts_with"])
    assert opens(told["token"]) == 200


def test_it_lists_them_without_what_opens_the_door(alice):
    told = make(alice).json()

    [shown] = listed(alice)

    assert shown == {name: value for name, value in told.items() if name != "token"}
    assert (shown["is_this"], len(shown["starts_with"])) == (False, 8)


def test_those_of_a_login_have_no_name_and_the_one_that_is_sent_is_marked(client):
    make(client, token_of(person("alice")), name="script")
    mine = token_of(person("alice"))

    shown = listed(client, mine)

    assert [(each["name"], each["is_this"]) for each in shown] == [
        (None, True),
        ("script", False),
        (None, False),
    ]


def test_it_lists_nobody_elses_and_none_that_has_expired(alice):
    token_of(person("bob"))
    token_of(person("alice"), valid_days=-1)

    assert listed(alice) == []


def test_it_is_valid_for_the_days_that_are_set_or_for_fewer(alice, settings):
    settings.BMAT_TOKEN_DAYS = 30

    assert 29.9 < days_left(make(alice).json()) <= 30
    assert 6.9 < days_left(make(alice, days=7).json()) <= 7
    assert 29.9 < days_left(make(alice, days=1e300).json()) <= 30


@pytest.mark.parametrize("days", [0, -1, True, "nan", "many"])
def test_it_refuses_days_that_a_token_cannot_have(alice, days):
    response = make(alice, days=days)

    assert (response.status_code, list(response.json()["fields"])) == (400, ["days"])


def test_it_does_not_outlive_the_token_that_has_made_it(client):
    told = make(client, token_of(person("alice"), valid_days=2)).json()

    assert 1.9 < days_left(told) <= 2


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b", "\x19", "a\n", 7])
def test_it_wants_a_name(alice, name):
    response = make(alice, name=name)

    assert (response.status_code, list(response.json()["fields"])) == (400, ["name"])
    assert AuthToken.objects.count() == 0


def test_it_makes_no_more_than_a_hundred(alice, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)

    answers = [make(alice) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[-1].json()["code"] == "too_many_tokens"


def test_it_refuses_a_form_that_is_too_large(alice):
    response = make(alice, name="x" * 2**16)

    assert (response.status_code, response.json()["code"]) == (413, "form_too_large")


def test_a_session_needs_its_csrf_token():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person("alice"))

    assert make(browser).status_code == 403


def test_it_revokes_one_with_its_name(alice):
    gone, kept = make(alice).json(), make(alice).json()

    response = alice.delete(f"/api/tokens/{gone['id']}")

    assert response.status_code == 204
    assert [opens(each["token"]) for each in (gone, kept)] == [401, 200]
    assert TokenName.objects.count() == 1


def test_it_does_not_know_those_of_others(alice, client):
    make(client, token_of(person("bob")))
    bobs = tokens.valid_tokens(person("bob"))[0]

    assert alice.delete(f"/api/tokens/{tokens.id_of(bobs)}").status_code == 404
    assert alice.delete(f"/api/tokens/{'0' * 16}").status_code == 404


def test_it_wants_somebody_even_where_no_login_is_asked_for(client, settings):
    settings.BMAT_REQUIRE_AUTH = False

    assert client.get("/api/tokens/").status_code == 401


def test_logging_out_everywhere_ends_tokens_and_sessions_and_nobody_elses(alice):
    other, bob = Client(), Client()
    other.force_login(person("alice"))
    bob.force_login(person("bob"))
    token = make(alice).json()["token"]

    assert alice.post("/api/auth/logoutall").status_code == 204

    assert opens(token) == 401
    answers = [each.get("/api/reports/").status_code for each in (alice, other, bob)]
    assert answers == [401, 401, 200]
