"""One log record for each event in a report's life: `make run` shows them."""

from uuid import uuid4

import pytest
from django.conf import settings

from bmat.api.models import Report
from bmat.api.services import leases, queue, reports
from bmat.api.services.process import fail_unexpectedly, process_report
from bmat.api.services.reconcile import reconcile_reports

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def events(caplog):
    """The records about reports since last asked, without the pid."""

    def taken():
        found = [record for record in caplog.records if record.name == "bmat.reports"]
        messages = [record.getMessage() for record in found]
        caplog.clear()
        return [" ".join(word for word in text.split() if len(word) != 36) for text in messages]

    return taken


def test_it_names_an_upload_and_its_result(submit, events):
    report = submit()
    assert events() == ["report received: plays.csv, 100 bytes"]
    process_report(report.pid, uuid4())
    (event,) = events()
    assert event.startswith("report done: 3 rows, 0 rejected, 0.")
    assert event.endswith(" s")


def test_it_names_the_code_of_a_failure(submit, events):
    report = submit(b"no,header\n")
    process_report(report.pid, uuid4())
    assert events()[1:] == ["report failed: missing_column"]


def test_it_names_an_unexpected_failure_once(submit, events):
    report, token = submit(), uuid4()
    leases.claim(report.pid, token)
    assert [fail_unexpectedly(report.pid, token) for _ in range(2)] == [True, False]
    assert events()[1:] == ["report failed: internal_error"]


def test_it_names_a_report_whose_workers_were_lost(submit, events, enqueued):
    report = submit()
    lost = {"lease_token": uuid4(), "lease_expires": queue.in_seconds(-1)}
    Report.objects.filter(pid=report.pid).update(attempts=settings.BMAT_MAX_ATTEMPTS, **lost)
    reconcile_reports()
    assert events()[1:] == ["report failed: worker_lost"]


def test_it_names_a_cancel_once_and_a_retry(client, submit, events, enqueued):
    url = f"/api/reports/{submit().pid}"
    client.post(f"{url}/cancel")
    client.post(f"{url}/cancel")
    assert events()[1:] == ["report cancelled"]
    client.post(f"{url}/retry")
    assert events() == ["report received again"]


def test_it_names_the_end_of_a_report_that_was_deleted_before_it(client, submit, events):
    waiting, ended = submit(), submit()
    process_report(ended.pid, uuid4())
    events()
    for report in (waiting, ended):
        client.delete(f"/api/reports/{report.pid}")
    assert events() == ["report cancelled"]


def test_it_shows_no_name_that_a_terminal_would_obey_or_that_fills_it():
    assert reports.shown_name("a\x1b[2J\n.csv") == "a?[2J?.csv"
    assert reports.shown_name("x" * 61) == "x" * 59 + "…"
