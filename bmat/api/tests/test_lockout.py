"""Failed logins: a name is locked out from the address that has failed, and from no other."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.db.models import F

from bmat.api.tests.people import PASSWORD, person, token_of

pytestmark = pytest.mark.django_db

LOGIN, ADMIN = "/api/auth/login", "/admin/login/"
ELSEWHERE = "192.0.2.7"


@pytest.fixture(autouse=True)
def three_in_five_minutes(settings):
    settings.AXES_FAILURE_LIMIT, settings.AXES_COOLOFF_TIME = 3, timedelta(minutes=5)
    person("alice")


def login(client, password="wrong", name="alice", **more):
    given = {"username": name, "password": password}
    return client.post(LOGIN, given, content_type="application/json", **more)


def lock_out(client, **more):
    """The statuses of as many failures as there may be."""
    return [login(client, **more).status_code for _ in range(3)]


def test_the_failure_that_is_one_too_many_says_when_to_go_on(client):
    assert [login(client).status_code for _ in range(2)] == [401, 401]

    response = login(client)

    assert (response.status_code, response["Retry-After"]) == (429, "300")
    assert response.json()["code"] == "rate_limited"
    assert response.json()["message"] == (
        "There were 3 failed attempts to log in by this name from your address. Go on in 300 "
        "seconds."
    )


def test_after_that_the_right_password_does_not_help(client):
    lock_out(client)

    assert login(client, PASSWORD).status_code == 429


def test_nobody_is_locked_out_from_another_address(client):
    lock_out(client, REMOTE_ADDR=ELSEWHERE)

    assert login(client, PASSWORD).status_code == 200


def test_nobody_is_locked_out_by_failures_of_another_name(client):
    person("bob")
    lock_out(client)

    assert login(client, PASSWORD, "bob").status_code == 200


def test_another_address_of_the_same_ipv6_network_is_locked_out_too(client):
    lock_out(client, REMOTE_ADDR="2001:db8::1")

    assert login(client, PASSWORD, REMOTE_ADDR="2001:db8::2").status_code == 429
    assert login(client, PASSWORD, REMOTE_ADDR="2001:db8:0:1::1").status_code == 200


def test_another_browser_at_the_same_address_is_locked_out_too(client):
    lock_out(client, headers={"User-Agent": "one"})

    assert login(client, PASSWORD, headers={"User-Agent": "another"}).status_code == 429


@pytest.mark.parametrize("proxies, status", [(0, 429), (1, 200)])
def test_it_believes_the_proxies_that_there_are_and_nobody_else(client, settings, proxies, status):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    lock_out(client, headers={"X-Forwarded-For": f"198.51.100.9, {ELSEWHERE}"})

    sent = {"X-Forwarded-For": "198.51.100.9, 192.0.2.8"}

    assert login(client, PASSWORD, headers=sent).status_code == status


def test_a_login_is_no_failure_and_forgives_those_before_it(client):
    answers = [login(client, each).status_code for each in ("x", "x", PASSWORD, "x", "x")]

    assert answers == [401, 401, 200, 401, 401]


def test_any_number_of_logins_is_no_failure(client):
    assert {login(client, PASSWORD).status_code for _ in range(9)} == {200}


def test_it_ends_by_itself_and_is_not_made_longer(client):
    lock_out(client)
    login(client)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(seconds=299))
    assert login(client, PASSWORD).status_code == 429

    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(seconds=2))

    assert login(client, PASSWORD).status_code == 200


def test_a_token_is_good_while_logins_are_refused(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    lock_out(client)

    assert client.get("/api/reports/", headers=token_of(person("alice"))).status_code == 200


def test_the_admin_counts_with_the_api(client):
    person("root")
    given = {"username": "root", "password": "wrong"}
    lock_out(client, name="root")

    refused = client.post(ADMIN, {**given, "password": PASSWORD})

    assert (refused.status_code, refused["Retry-After"]) == (429, "300")
    assert b"There were 3 failed attempts" in refused.content
    assert "_auth_user_id" not in client.session


def test_it_writes_down_no_password_and_nobody_who_logs_in(client, caplog):
    client.post(ADMIN, {"username": "alice", "password": "a wrong one"})
    client.post(ADMIN, {"username": "alice", "password": "a wrong one"})
    login(client, PASSWORD, REMOTE_ADDR=ELSEWHERE)

    (row,) = AccessAttempt.objects.values()
    assert "a wrong one" not in str(row) + caplog.text
    assert "alice" not in row["post_data"] + caplog.text
    assert AccessLog.objects.count() == 0


def test_logins_have_no_limit_where_it_is_lifted(client, settings):
    settings.AXES_ENABLED = False

    assert {login(client).status_code for _ in range(20)} == {401}
