"""What one user may have at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from bmat.api.models import Report
from bmat.api.services import leases
from bmat.api.services.reports import retry_report
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import person, token_of
from bmat.api.uploads import FORM_BYTES

pytestmark = pytest.mark.django_db(transaction=True)

REPORTS = "/api/reports/"
AT_ONCE = 16
Status = Report.Status


@pytest.fixture(autouse=True)
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


@pytest.fixture
def alice():
    return token_of(person("alice"))


@pytest.fixture
def unread(monkeypatch):
    """Fails where anything of a body is read."""

    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)


def post(client, headers, content=PLAYS, **more):
    upload = SimpleUploadedFile("plays.csv", content)
    return client.post(REPORTS, {"input_file": upload}, headers={**headers, **more})


def test_it_refuses_more_reports_than_may_run(client, alice, settings, left_over):
    settings.BMAT_MAX_RUNNING_REPORTS = 2
    assert [post(client, alice).status_code for _ in range(2)] == [201, 201]
    before = left_over()

    response = post(client, alice)

    assert (response.status_code, response["Retry-After"]) == (429, "5")
    assert response.json()["detail"] == (
        "You have 2 reports that are not finished, which is the limit. Wait for one, or cancel one."
    )
    assert response["RateLimit-Policy"] == '"running-reports";q=2'
    assert response["RateLimit"] == '"running-reports";r=0;t=5'
    assert left_over() == before


@pytest.mark.parametrize("end", [Status.DONE, Status.FAILED, Status.CANCELLED])
def test_a_report_that_has_ended_makes_room(client, alice, settings, end):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    post(client, alice)
    Report.objects.update(status=end)

    assert post(client, alice).status_code == 201


def test_each_user_has_a_limit_of_their_own(client, alice, settings):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    post(client, alice)

    assert post(client, token_of(person("bob"))).status_code == 201


def test_it_reads_nothing_of_an_upload_that_is_one_too_many(
    client, alice, settings, submit, unread
):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    submit(owner=person("alice"))

    assert post(client, alice).status_code == 429


def test_what_belongs_to_nobody_has_no_limit(client, settings):
    settings.BMAT_REQUIRE_AUTH = False
    settings.BMAT_MAX_RUNNING_REPORTS = settings.BMAT_MAX_STORED_BYTES = 1

    assert [post(client, {}).status_code for _ in range(3)] == [201, 201, 201]


def test_it_refuses_more_bytes_than_a_user_has(client, alice, settings, left_over):
    settings.BMAT_MAX_STORED_BYTES = 2 * len(PLAYS)
    assert [post(client, alice).status_code for _ in range(2)] == [201, 201]
    before = left_over()

    response = post(client, alice, content=b"x")

    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert response.json()["detail"] == (
        f"With this upload, yours would take more than the {2 * len(PLAYS)} bytes that each user "
        "has. Delete reports that you no longer need."
    )
    assert response["RateLimit-Policy"] == f'"stored-bytes";q={2 * len(PLAYS)};qu="content-bytes"'
    assert response["RateLimit"] == '"stored-bytes";r=0;t=60'
    assert left_over() == before


def test_results_count_as_uploads_do(client, alice, settings):
    settings.BMAT_MAX_STORED_BYTES = 2 * len(PLAYS) + 10
    post(client, alice)
    Report.objects.update(status=Status.DONE, result_bytes=11)

    assert post(client, alice).status_code == 429


def test_it_reads_nothing_of_an_upload_that_says_it_takes_too_much(client, alice, settings, unread):
    settings.BMAT_MAX_STORED_BYTES = 1000

    assert post(client, alice, content=b"x" * (FORM_BYTES + 2000)).status_code == 429


def test_a_report_that_is_deleted_gives_its_bytes_back(client, alice, settings):
    settings.BMAT_MAX_STORED_BYTES = len(PLAYS)
    url = post(client, alice)["Location"]

    client.delete(url, headers=alice)

    assert post(client, alice).status_code == 201


def test_a_report_whose_files_have_expired_gives_its_bytes_back(client, alice, settings):
    settings.BMAT_MAX_STORED_BYTES = len(PLAYS)
    post(client, alice)
    Report.objects.update(status=Status.DONE, expired=timezone.now())

    assert post(client, alice).status_code == 201


def test_it_says_when_the_first_files_make_room(client, alice, settings):
    settings.BMAT_MAX_STORED_BYTES = len(PLAYS)
    settings.BMAT_RETENTION_DAYS = 30
    post(client, alice)
    Report.objects.update(status=Status.DONE, finished=timezone.now() - timedelta(days=29))

    assert int(post(client, alice)["Retry-After"]) == pytest.approx(86400, abs=30)


def test_a_post_that_is_repeated_is_answered_at_the_limit(client, alice, settings):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    key = {"Idempotency-Key": "a key"}
    first = post(client, alice, **key)

    again = post(client, alice, **key)

    assert (again.status_code, again.json()["pid"]) == (201, first.json()["pid"])
    assert post(client, alice, **{"Idempotency-Key": "another"}).status_code == 429


def test_a_retry_is_refused_at_the_limit(client, alice, settings, submit, enqueued):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    cancelled = submit(owner=person("alice"))
    leases.cancel(cancelled.pid)
    submit(owner=person("alice"))
    enqueued()

    response = client.post(f"{REPORTS}{cancelled.pid}/retry", headers=alice)

    assert (response.status_code, response["Retry-After"]) == (429, "5")
    assert Report.objects.get(pid=cancelled.pid).status == Status.CANCELLED
    assert enqueued() == []


def test_a_retry_counts_for_the_owner_whoever_asks(client, settings, submit):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    root = token_of(person("root"))
    post(client, root)
    cancelled = submit(owner=person("alice"))
    leases.cancel(cancelled.pid)

    response = client.post(f"{REPORTS}{cancelled.pid}/retry", headers=root)

    assert response.status_code == 202


def test_a_report_that_runs_is_no_matter_of_limits(client, alice, settings, submit):
    settings.BMAT_MAX_RUNNING_REPORTS = 1

    response = client.post(f"{REPORTS}{submit(owner=person('alice')).pid}/retry", headers=alice)

    assert response.status_code == 409


@pytest.fixture
def at_once():
    """Calls a function AT_ONCE times in the same moment, each on a connection of its own."""

    def called(function):
        start = Barrier(AT_ONCE)

        def call(number):
            start.wait()
            try:
                return function(number)
            finally:
                connection.close()

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(call, range(AT_ONCE)))

    return called


def test_posts_of_the_same_moment_do_not_pass_the_limit_together(alice, settings, at_once, home):
    settings.BMAT_MAX_RUNNING_REPORTS = 5

    codes = [answer.status_code for answer in at_once(lambda _: post(Client(), alice))]

    assert sorted(codes) == [201] * 5 + [429] * (AT_ONCE - 5)
    assert Report.objects.count() == 5
    assert len(list((home / "reports").iterdir())) == 5
    assert list((home / "uploads").iterdir()) == []


def test_bytes_of_the_same_moment_do_not_pass_the_limit_together(alice, settings, at_once):
    settings.BMAT_MAX_STORED_BYTES = 5 * len(PLAYS)

    codes = [answer.status_code for answer in at_once(lambda _: post(Client(), alice))]

    assert sorted(codes) == [201] * 5 + [429] * (AT_ONCE - 5)


def test_retries_of_the_same_moment_do_not_pass_the_limit_together(
    alice, settings, at_once, submit
):
    owner = person("alice")
    cancelled = [submit(owner=owner) for _ in range(AT_ONCE)]
    for report in cancelled:
        leases.cancel(report.pid)
    settings.BMAT_MAX_RUNNING_REPORTS = 5

    def retry(number):
        url = f"{REPORTS}{cancelled[number].pid}/retry"
        return Client().post(url, headers=alice).status_code

    assert sorted(at_once(retry)) == [202] * 5 + [429] * (AT_ONCE - 5)


def test_the_same_post_of_the_same_moment_creates_one_report_at_the_limit(alice, settings, at_once):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    key = {"Idempotency-Key": "a key"}

    answers = at_once(lambda _: post(Client(), alice, **key))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["pid"] for answer in answers}) == 1


def test_a_service_that_retries_nobodys_report_asks_for_no_limit(settings, submit):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    report = submit()
    leases.cancel(report.pid)

    assert retry_report(report.pid, report.input_bytes)
