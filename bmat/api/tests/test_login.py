"""`/api/auth/`: tokens by login, and their end."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken

from bmat.api.services import tokens
from bmat.api.tests.people import PASSWORD, person, token_of
from bmat.api.views import accounts

pytestmark = pytest.mark.django_db

LOGIN = "/api/auth/login"


@pytest.fixture(autouse=True)
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


def login(client, username="alice", password=PASSWORD):
    person("alice")
    given = {"username": username, "password": password}
    return client.post(LOGIN, given, content_type="application/json")


def listed(client, token):
    return client.get("/api/reports/", headers={"Authorization": f"Token {token}"}).status_code


def test_it_gives_a_token_that_opens_the_api(client):
    response = login(client)

    assert response.status_code == 200
    assert set(response.json()) == {"token", "expiry"}
    assert listed(client, response.json()["token"]) == 200


def test_it_understands_a_form(client):
    person("alice")
    form = f"username=alice&password={PASSWORD}"

    response = client.post(LOGIN, form, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200


def test_its_token_ends_after_the_days_that_are_set(client, settings):
    expiry = datetime.fromisoformat(login(client).json()["expiry"])

    left = expiry - timezone.now()

    assert timedelta(days=settings.BMAT_TOKEN_DAYS - 1) < left
    assert left <= timedelta(days=settings.BMAT_TOKEN_DAYS)


def test_it_keeps_no_more_of_a_token_than_its_hash(client):
    token = login(client).json()["token"]

    row = AuthToken.objects.values().get()

    assert len(row["digest"]) == 128
    assert [value for value in row.values() if token[16:] in str(value)] == []


def test_no_cache_keeps_its_answer(client):
    assert login(client)["Cache-Control"] == "private, no-store"


def test_it_writes_down_when_somebody_came(client):
    login(client)

    assert person("alice").last_login is not None


def test_each_login_makes_a_token_of_its_own(client):
    made = {login(client).json()["token"] for _ in range(2)}

    assert [listed(client, token) for token in made] == [200, 200]


@pytest.mark.parametrize("name, password", [("alice", "wrong"), ("nobody", PASSWORD)])
def test_it_does_not_say_whether_the_name_or_the_password_is_wrong(client, name, password):
    response = login(client, name, password)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert response.json()["detail"] == "The name or the password is wrong."
    assert AuthToken.objects.count() == 0


def test_it_refuses_a_user_who_is_not_active(client):
    alice = person("alice")
    alice.is_active = False
    alice.save()

    assert login(client).status_code == 401


@pytest.mark.parametrize("given", [{}, {"username": "alice"}, {"username": "a\0", "password": "b"}])
def test_it_refuses_a_login_without_name_or_password(client, given):
    assert client.post(LOGIN, given, content_type="application/json").status_code == 400


@pytest.mark.parametrize("given", ["x", "[1]", "null", "[" * 60_000, '{"a":' * 10_000, '"\\ud800"'])
def test_it_refuses_what_is_no_login(client, given):
    assert client.post(LOGIN, given, content_type="application/json").status_code == 400


def test_it_reads_no_large_body(client, monkeypatch):
    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)

    response = login(client, password="x" * accounts.BODY_BYTES)

    assert response.status_code == 413
    assert response.json()["detail"] == "A login has at most 65536 bytes."


def test_it_takes_no_files(client):
    assert client.post(LOGIN, {"username": "alice"}).status_code == 415


def test_it_gives_no_user_more_tokens_than_anybody_needs(client, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)

    answers = [login(client) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[2].json()["detail"].startswith("You have 100 tokens. Revoke them")


def test_tokens_that_have_expired_do_not_count(client, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    token_of(person("alice"), valid_days=-1)

    assert login(client).status_code == 200


def test_logout_ends_the_one_token_that_is_sent(client):
    ended, other = (login(client).json()["token"] for _ in range(2))

    client.post("/api/auth/logout", headers={"Authorization": f"Token {ended}"})

    assert [listed(client, token) for token in (ended, other)] == [401, 200]


def test_logoutall_ends_all_tokens_of_the_user_and_nobody_elses(client):
    tokens = [login(client).json()["token"] for _ in range(2)]
    bob = token_of(person("bob"))

    client.post("/api/auth/logoutall", headers={"Authorization": f"Token {tokens[0]}"})

    assert [listed(client, token) for token in tokens] == [401, 401]
    assert client.get("/api/reports/", headers=bob).status_code == 200
