"""`POST /api/reports/` with an `Idempotency-Key`."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from bmat.api.errors import invalid, told_as
from bmat.api.models import IdempotencyKey, Report
from bmat.api.services.process import process_report
from bmat.api.services.reports import delete_report
from bmat.api.tests.fixtures import PLAYS

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 8


def post(client, key="a key", content=PLAYS, name="plays.csv", **options):
    upload = SimpleUploadedFile(name, content)
    return client.post(
        "/api/reports/", {"input_file": upload, **options}, headers={"Idempotency-Key": key}
    )


def expire_keys():
    IdempotencyKey.objects.update(created="2020-01-01T00:00:00Z")


def test_it_creates_the_report_the_first_time(client):
    response = post(client)

    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response


def test_it_answers_with_the_same_report_the_second_time(client, enqueued, left_over):
    first = post(client)
    before = left_over()
    enqueued()

    again = post(client, name="renamed.csv")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Location"] == first["Location"]
    assert again["Idempotent-Replayed"] == "true"
    assert (left_over(), enqueued()) == (before, [])


def test_it_tells_how_the_report_is_by_now(client):
    process_report(uuid_of(post(client)), uuid4())

    assert post(client).json()["state"] == "done"


def uuid_of(response):
    return Report.objects.get(pid=response.json()["pid"]).pid


@pytest.mark.parametrize("other", [{"content": PLAYS + b"A,2020-01-01,1\n"}, {"strict": "true"}])
def test_it_refuses_the_key_for_another_body(client, other, left_over):
    post(client)
    before = left_over()

    response = post(client, **other)

    message = "This Idempotency-Key was used for another file or other options. Use a new key."
    told = told_as("idempotency_key_reused", message)
    assert (response.status_code, response.json()) == (409, told)
    assert left_over() == before


def test_it_keeps_keys_apart(client):
    post(client, key="one")
    post(client, key="two")

    assert Report.objects.count() == 2


def test_it_lets_a_refused_upload_be_corrected_under_its_key(client):
    assert post(client, encoding="klingon").status_code == 400

    assert post(client).status_code == 201


def test_it_does_not_create_a_deleted_report_again(client):
    delete_report(uuid_of(post(client)))

    response = post(client)

    message = "The report of this Idempotency-Key was deleted. To upload again, use a new key."
    told = told_as("idempotency_key_outlived", message)
    assert (response.status_code, response.json()) == (409, told)
    assert Report.objects.count() == 0


def test_it_forgets_a_key_after_a_day(client):
    first = post(client)
    expire_keys()

    second = post(client, content=PLAYS + b"A,2020-01-01,1\n")

    assert second.status_code == 201
    assert first.json()["pid"] != second.json()["pid"]
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["k", "k" * 255, "a key, with: punctuation"])
def test_it_accepts_keys_of_1_to_255_characters(client, key):
    assert post(client, key=key).status_code == 201
    assert str(IdempotencyKey.objects.get()).startswith(key)


@pytest.mark.parametrize("key", ["", "k" * 256, "é", "a\tb"])
def test_it_refuses_other_keys_before_it_reads_the_upload(client, key, monkeypatch):
    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)

    response = post(client, key=key)

    message = "Send 1 to 255 printable ASCII characters, or no such header."
    assert (response.status_code, response.json()) == (400, invalid({"Idempotency-Key": [message]}))


def test_one_of_many_posts_of_the_same_moment_creates_the_report(home):
    """Each thread has a connection of its own: the database decides."""
    start = Barrier(AT_ONCE)

    def post_at_once(_):
        start.wait()
        try:
            return post(Client())
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        responses = list(threads.map(post_at_once, range(AT_ONCE)))

    report = Report.objects.get()
    assert {response.status_code for response in responses} == {201}
    assert {response.json()["pid"] for response in responses} == {str(report.pid)}
    assert sum("Idempotent-Replayed" in response for response in responses) == AT_ONCE - 1
    assert {path.name for path in home.rglob("*")} == {
        "reports",
        "uploads",
        str(report.pid),
        "input.csv",
    }


def test_it_leaves_nothing_of_the_one_that_came_second(client, monkeypatch, left_over):
    """Both have seen that the key is free before either has taken it."""
    first = post(client)
    before = left_over()
    monkeypatch.setattr(IdempotencyKey.objects, "known", lambda owner, key: None)

    again = post(client)

    assert (again.status_code, again.json()["pid"]) == (201, first.json()["pid"])
    assert left_over() == before
    assert Report.objects.count() == 1


def test_it_submits_under_a_key_that_is_swept_as_soon_as_it_was_found_to_be_taken(
    client, monkeypatch, left_over
):
    keys = IdempotencyKey.objects
    find = keys.of

    def sweep_then_find(owner, key):
        keys.all().delete()
        return find(owner, key)

    first = post(client)
    monkeypatch.setattr(keys, "known", lambda owner, key: None)
    monkeypatch.setattr(keys, "of", sweep_then_find)

    second = post(client)

    pids = {first.json()["pid"], second.json()["pid"]}
    assert (second.status_code, len(pids)) == (201, 2)
    assert {f"reports/{pid}/input.csv" for pid in pids} <= set(left_over())
