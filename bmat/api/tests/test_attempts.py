"""What is kept of each attempt at a report."""

from uuid import uuid4

import pytest

from bmat import aggregation
from bmat.api.models import Report, ReportAttempt
from bmat.api.models.reports import Outcome
from bmat.api.services import files, leases, process
from bmat.api.services.process import process_report
from bmat.api.services.reconcile import reconcile_reports
from bmat.api.tests.fixtures import TOTALS

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def report(submit):
    return submit()


def outcomes(report):
    return [(attempt.number, attempt.outcome) for attempt in report.attempt_log.all()]


def test_it_keeps_who_worked_on_a_report_and_when(report):
    token = uuid4()

    process_report(report.pid, token, "small@machine")

    attempt = ReportAttempt.objects.get()
    assert (attempt.number, attempt.worker, attempt.lease_token) == (1, "small@machine", token)
    assert attempt.outcome == Outcome.DONE
    assert attempt.ended is not None and attempt.started <= attempt.ended


def test_it_keeps_that_a_file_was_at_fault(submit):
    report = submit(b"")

    process_report(report.pid, uuid4())

    assert outcomes(report) == [(1, Outcome.FAILED)]


def test_it_leaves_an_attempt_open_while_it_runs(report):
    leases.claim(report.pid, uuid4())

    assert outcomes(report) == [(1, "")]


def test_it_keeps_that_a_worker_was_lost(report):
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO)

    reconcile_reports()
    process_report(report.pid, uuid4())

    assert outcomes(report) == [(1, Outcome.LOST), (2, Outcome.DONE)]


def test_it_keeps_that_a_lease_was_taken_over(report):
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO)

    process_report(report.pid, uuid4())

    assert outcomes(report) == [(1, Outcome.LOST), (2, Outcome.DONE)]


def test_it_removes_what_a_lost_worker_left(report, left_over):
    token = uuid4()
    leases.claim(report.pid, token)
    (files.start_attempt(report.pid, token) / "output.csv").write_text("half wri")
    Report.objects.update(lease_expires=LONG_AGO)

    reconcile_reports()

    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_takes_nothing_away_from_a_worker_that_was_quicker(report, monkeypatch):
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO)
    monkeypatch.setattr(leases, "requeue_abandoned", lambda *_: False)

    reconcile_reports()

    assert outcomes(report) == [(1, "")]


def test_a_worker_that_was_frozen_removes_nothing_of_its_successor(report, monkeypatch, left_over):
    """It was stopped after it had looked at its lease and before it made its folder."""
    frozen, successor = uuid4(), uuid4()
    real = files.start_attempt

    def freeze(pid, token):
        monkeypatch.setattr(files, "start_attempt", real)
        Report.objects.update(lease_expires=LONG_AGO)
        process_report(pid, successor)
        return real(pid, token)

    monkeypatch.setattr(files, "start_attempt", freeze)

    process_report(report.pid, frozen)

    report.refresh_from_db()
    assert report.output_file.name == files.output_name(report.pid, successor)
    assert files.path(report.output_file.name).read_bytes() == TOTALS
    assert not any(str(frozen) in path for path in left_over())


def test_it_hands_a_running_report_back_when_its_worker_ends(
    report, monkeypatch, worker_ends, enqueued, left_over
):
    def aggregate(*args, **kwargs):
        worker_ends()
        return aggregation.aggregate(*args, **kwargs)

    monkeypatch.setattr(process, "aggregate", aggregate)
    enqueued()

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.stage, report.attempts) == (0, "queued", 0)
    assert outcomes(report) == [(1, Outcome.HANDED_BACK)]
    assert enqueued() == [str(report.pid)]
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_hands_nothing_back_that_was_deleted_meanwhile(report, enqueued, caplog):
    enqueued()
    process.hand_back(report.pid, uuid4())

    assert enqueued() == []


def test_a_worker_that_ends_takes_nothing_up(report, worker_ends):
    worker_ends()

    process_report(report.pid, uuid4())

    assert outcomes(report) == []
    assert Report.objects.queued().get() == report
