"""A report belongs to who uploaded it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat.api.models import IdempotencyKey, Report
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db

REPORTS = "/api/reports/"


@pytest.fixture
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


def post(client, content=PLAYS, **headers):
    return client.post(
        REPORTS, {"input_file": SimpleUploadedFile("plays.csv", content)}, headers=headers
    )


def pids(client, headers=None):
    found = client.get(REPORTS, headers=headers or {}).json()["results"]
    return {report["pid"] for report in found}


def test_it_belongs_to_who_uploaded_it(client, require_auth):
    post(client, **token_of(person("alice")))

    assert Report.objects.get().owner == person("alice")


def test_the_list_shows_everybody_their_own_and_superusers_all(client, require_auth, submit):
    hers, his, nobodys = submit(owner=person("alice")), submit(owner=person("bob")), submit()

    assert pids(client, token_of(person("alice"))) == {str(hers.pid)}
    assert pids(client, token_of(person("bob"))) == {str(his.pid)}
    assert pids(client, token_of(person("root"))) == {
        str(report.pid) for report in (hers, his, nobodys)
    }


def test_staff_are_no_superusers(client, require_auth, submit):
    bob = person("bob")
    bob.is_staff = True
    bob.save()

    response = client.get(f"{REPORTS}{submit(owner=person('alice')).pid}", headers=token_of(bob))

    assert response.status_code == 404


def test_what_nobody_owns_is_there_for_superusers_alone(client, require_auth, submit):
    url = f"{REPORTS}{submit().pid}"

    assert client.get(url, headers=token_of(person("alice"))).status_code == 404
    assert client.get(url, headers=token_of(person("root"))).status_code == 200


def test_a_report_outlives_its_owners_account(client, require_auth, submit):
    report = submit(owner=person("alice"))

    person("alice").delete()

    report.refresh_from_db()
    assert report.owner is None
    url = f"{REPORTS}{report.pid}"
    assert client.get(url, headers=token_of(person("bob"))).status_code == 404


def test_without_logins_an_upload_belongs_to_nobody(client):
    post(client)

    assert Report.objects.get().owner is None


def test_without_logins_a_token_still_says_whose_an_upload_is(client):
    post(client, **token_of(person("alice")))

    assert Report.objects.get().owner == person("alice")


def test_without_logins_the_pid_opens_every_report(client, submit):
    """As the list shows them all: who needs more turns logins on."""
    hers, nobodys = submit(owner=person("alice")), submit()

    assert pids(client) == {str(hers.pid), str(nobodys.pid)}
    assert client.get(f"{REPORTS}{hers.pid}").status_code == 200


def test_two_users_with_the_same_idempotency_key_do_not_meet(client, require_auth):
    key = {"Idempotency-Key": "the same"}
    alice, bob = (token_of(person(name)) for name in ("alice", "bob"))

    first, second = post(client, **key, **alice), post(client, PLAYS * 2, **key, **bob)
    again = post(client, **key, **alice)

    assert [answer.status_code for answer in (first, second, again)] == [201, 201, 201]
    assert first.json()["pid"] == again.json()["pid"] != second.json()["pid"]
    assert "Idempotent-Replayed" not in second


def test_a_key_of_nobodys_is_not_a_users(client):
    key = {"Idempotency-Key": "the same"}

    answers = [post(client, **key), post(client, **key, **token_of(person("alice")))]

    assert len({answer.json()["pid"] for answer in answers}) == 2


def test_the_keys_of_an_account_end_with_it(client):
    key = {"Idempotency-Key": "the same"}
    post(client, **key)
    post(client, **key, **token_of(person("alice")))

    person("alice").delete()

    assert [each.owner for each in IdempotencyKey.objects.all()] == [None]
