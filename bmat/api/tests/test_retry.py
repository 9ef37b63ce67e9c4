"""`POST /api/reports/<pid>/retry`."""

from uuid import uuid4

import pytest

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.services import files, leases
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import TOTALS

pytestmark = pytest.mark.django_db(transaction=True)

Status = Report.Status


OTHER = b"Track;Date;Number of Plays\nUmbrella;2020-01-01;5\n"


def retry(client, pid, slash="", **options):
    return client.post(f"/api/reports/{pid}/retry{slash}", options or None)


@pytest.fixture
def failed(submit, settings):
    """A report whose workers were all lost."""
    report = submit()
    Report.objects.update(
        status=Status.FAILED,
        error_code="worker_lost",
        attempts=settings.BMAT_MAX_ATTEMPTS,
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:00:01Z",
        stage="",
    )
    return report


@pytest.fixture(autouse=True)
def never_expires(settings):
    settings.BMAT_RETENTION_DAYS = 10**5


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_lets_a_failed_report_wait_again(client, failed, enqueued, slash):
    enqueued()

    response = retry(client, failed.pid, slash)

    assert response.status_code == 202
    assert (response.json()["status"], response.json()["stage"]) == (0, "queued")
    assert (response.json()["error"], response.json()["expires"]) == (None, None)
    assert response["Retry-After"] == "1"
    assert enqueued() == [str(failed.pid)]


def test_it_is_done_on_the_file_that_was_kept_with_all_attempts_ahead(client, failed):
    retry(client, failed.pid)

    process_report(failed.pid, uuid4())

    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == (Status.DONE, 1)
    assert files.path(failed.output_file.name).read_bytes() == TOTALS


def test_it_lets_a_cancelled_report_wait_again(client, submit):
    report = submit()
    client.post(f"/api/reports/{report.pid}/cancel")

    assert retry(client, report.pid).status_code == 202
    process_report(report.pid, uuid4())

    assert Report.objects.get().status == Status.DONE


def test_the_worker_that_was_cancelled_changes_nothing_about_it(client, submit):
    report, cancelled = submit(), uuid4()
    leases.claim(report.pid, cancelled)
    client.post(f"/api/reports/{report.pid}/cancel")
    retry(client, report.pid)

    assert not leases.renew(report.pid, cancelled, None)
    assert not leases.fail(report.pid, cancelled, "code", "message")
    assert Report.objects.queued().get() == report


def test_it_refuses_a_report_that_waits(client, submit):
    response = retry(client, submit().pid)

    message = "The report is processing: retry is for failed and cancelled ones."
    told = told_as("not_retryable", message)
    assert (response.status_code, response.json()) == (409, told)


def test_it_refuses_a_report_that_is_done(client, submit):
    report = submit()
    process_report(report.pid, uuid4())

    assert retry(client, report.pid).status_code == 409


def test_it_rings_for_one_of_two_requests_of_the_same_moment(client, failed, enqueued):
    enqueued()

    assert [retry(client, failed.pid).status_code for _ in range(2)] == [202, 409]
    assert enqueued() == [str(failed.pid)]


def failed_as(submit, content, **options):
    """A report that a worker has failed."""
    report = submit(content, **options)
    process_report(report.pid, uuid4())
    report.refresh_from_db()
    assert report.status == Status.FAILED
    return report


def test_it_reads_the_file_with_the_options_that_are_sent(client, submit):
    report = failed_as(submit, OTHER, delimiter=";")

    shown = retry(client, report.pid, song_column="Track", group_by="song").json()
    process_report(report.pid, uuid4())

    assert shown["options"] == {"song_column": "Track", "group_by": "song"}
    report.refresh_from_db()
    assert (report.status, report.plays_total) == (Status.DONE, 5)


def test_it_says_what_the_totals_will_be_by(client, submit):
    report = failed_as(submit, OTHER)

    assert retry(client, report.pid, group_by="isrc").json()["group_by"] == ["isrc"]


def test_it_keeps_the_options_where_none_is_sent(client, submit):
    report = failed_as(submit, OTHER, delimiter=";")

    assert retry(client, report.pid).json()["options"] == {"delimiter": ";"}


def test_a_blank_option_takes_those_of_before_away(client, submit):
    report = failed_as(submit, OTHER, delimiter=";")

    assert retry(client, report.pid, delimiter="").json()["options"] == {}


@pytest.mark.parametrize("name, value", [("group_by", "label"), ("preset", "x"), ("colour", "red")])
def test_it_names_an_option_that_cannot_be_followed_and_changes_nothing(
    client, submit, name, value
):
    report = failed_as(submit, OTHER, delimiter=";")

    response = retry(client, report.pid, **{name: value})

    assert (response.status_code, list(response.json()["fields"])) == (400, [name])
    report.refresh_from_db()
    assert (report.status, report.options) == (Status.FAILED, {"delimiter": ";"})


def test_the_options_of_single_files_are_replaced_too(client, submit):
    report = failed_as(submit, OTHER)
    row = {**report.inputs[0], "options": {"encoding": "cp1252"}}
    Report.objects.update(inputs=[row])

    assert retry(client, report.pid).status_code == 202
    assert Report.objects.get().inputs == [row]
    client.post(f"/api/reports/{report.pid}/cancel")
    assert retry(client, report.pid, encoding="utf-8").status_code == 202
    assert Report.objects.get().inputs == [{**row, "options": {}}]


def test_a_report_on_top_of_totals_stays_by_what_these_are_by(client, submit):
    report = failed_as(submit, OTHER)
    Report.objects.update(base=uuid4())

    refused = retry(client, report.pid, group_by="artist")
    answer = retry(client, report.pid, delimiter=";")

    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["group_by"])
    assert answer.json()["options"] == {"delimiter": ";", "group_by": "song"}


@pytest.mark.parametrize("pid", [uuid4(), "no-uuid"])
def test_it_does_not_know_a_missing_or_malformed_pid(client, pid):
    assert retry(client, pid).status_code == 404


def test_it_refuses_another_method(client, submit):
    assert client.get(f"/api/reports/{submit().pid}/retry").status_code == 405
