"""How often somebody may ask, and the fields that say so."""

import re

import pytest
from limits.errors import StorageError

from bmat.api import access
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db

REPORTS = "/api/reports/"


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    settings.BMAT_REQUEST_RATE = (3, 60)


@pytest.fixture
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


@pytest.fixture
def break_counters(monkeypatch):
    """Lets the counters be away until it is called with False."""
    away = [True]
    counted = access.counters("memory://").limiter.storage
    incr = counted.incr

    def broken(*arguments, **named):
        if away[0]:
            raise StorageError(ConnectionError("refused"))
        return incr(*arguments, **named)

    monkeypatch.setattr(counted, "incr", broken)
    return lambda yes: away.__setitem__(0, yes)


def codes(client, times, **headers):
    return [client.get(REPORTS, headers=headers).status_code for _ in range(times)]


def test_it_refuses_what_comes_too_often_and_says_when_to_go_on(client):
    assert codes(client, 3) == [200, 200, 200]

    response = client.get(REPORTS)

    assert response.status_code == 429
    seconds = int(response["Retry-After"])
    assert 58 <= seconds <= 60
    assert response.json()["detail"] == (
        f"There were more than 3 requests in 60 seconds. Go on in {seconds} seconds."
    )


def test_every_answer_says_how_much_is_left(client, submit):
    paths = [REPORTS, f"{REPORTS}{submit().pid}", f"{REPORTS}no-pid", f"{REPORTS}no-pid/output"]

    answers = [client.get(path) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 200, 404, 429]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"default";q=3;w=60'}
    left = [re.fullmatch(r'"default";r=(\d);t=(60|59|58)', each["RateLimit"]) for each in answers]
    assert [match and match[1] for match in left] == ["2", "1", "0", "0"]


def test_it_says_nothing_where_there_is_no_limit(client, settings):
    settings.BMAT_REQUEST_RATE = None

    response = client.get(REPORTS)

    assert not {"RateLimit", "RateLimit-Policy"} & set(response.headers)


def test_each_user_has_a_limit_of_their_own_however_many_tokens(client, require_auth):
    alice, hers, bob = (token_of(person(name)) for name in ("alice", "alice", "bob"))

    assert codes(client, 2, **alice) + codes(client, 2, **hers) == [200, 200, 200, 429]
    assert codes(client, 1, **bob) == [200]


def test_each_address_of_a_stranger_has(client, require_auth):
    assert codes(client, 4) == [401, 401, 401, 429]
    assert client.get(REPORTS, REMOTE_ADDR="192.0.2.7").status_code == 401


def test_wrong_tokens_are_counted_together(client, require_auth):
    wrong = [{"Authorization": f"Token {number:064x}"} for number in range(4)]

    answers = [client.get(REPORTS, headers=each) for each in wrong]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[0]["RateLimit"].startswith('"default";r=2;')


def test_a_network_of_ipv6_is_one_address(client):
    from_one = [client.get(REPORTS, REMOTE_ADDR=f"2001:db8::{host}") for host in range(4)]
    from_another = client.get(REPORTS, REMOTE_ADDR="2001:db8:0:1::1")

    assert [answer.status_code for answer in from_one] == [200, 200, 200, 429]
    assert from_another.status_code == 200


def test_an_ipv4_address_is_one_however_it_is_written(client):
    written = ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1", "::ffff:192.0.2.2"]

    answers = [client.get(REPORTS, REMOTE_ADDR=each) for each in written]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 200]


def test_what_is_no_address_is_counted_all_the_same(client):
    answers = [client.get(REPORTS, REMOTE_ADDR="unknown") for _ in range(4)]

    assert answers[3].status_code == 429


@pytest.mark.parametrize("proxies, last", [(0, 429), (1, 200)])
def test_it_believes_the_proxies_that_there_are_and_nobody_else(client, settings, proxies, last):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    sent = [{"X-Forwarded-For": f"spoofed, 192.0.2.{number}"} for number in range(4)]

    answers = [client.get(REPORTS, headers=each) for each in sent]

    assert answers[3].status_code == last


def test_requests_go_on_while_the_counters_are_away_which_is_logged_once(
    client, break_counters, caplog
):
    assert codes(client, 10) == [200] * 10

    assert caplog.messages == ["requests are not counted, for their counters are away: refused"]


def test_it_asks_for_the_counters_again_only_after_a_while(client, break_counters, monkeypatch):
    codes(client, 1)
    break_counters(False)

    assert codes(client, 5) == [200] * 5
    monkeypatch.setattr(access.counters("memory://"), "away_until", 0.001)
    assert codes(client, 4) == [200, 200, 200, 429]


def test_it_says_that_requests_are_counted_again(client, break_counters, monkeypatch, caplog):
    monkeypatch.setattr(access, "ASK_AGAIN_SECONDS", 0.0)
    codes(client, 3)
    break_counters(False)

    codes(client, 2)

    assert caplog.messages[-1] == "requests are counted again"
    assert len(caplog.messages) == 2
