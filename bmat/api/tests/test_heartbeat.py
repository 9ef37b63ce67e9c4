"""The heartbeat of a running report, on a real second connection."""

import threading
import time
from uuid import uuid4

import pytest
from django.db import OperationalError

from bmat.aggregation import Progress
from bmat.api.models import Report
from bmat.api.services import files, leases
from bmat.api.services.heartbeat import Heartbeat, LeaseLost, WorkerEnds
from bmat.api.services.reports import delete_report

pytestmark = pytest.mark.django_db(transaction=True)

READING = Progress("reading", 0.25, 1000)
DEADLINE_SECONDS = 10.0


@pytest.fixture(autouse=True)
def fast(settings):
    settings.BMAT_HEARTBEAT_SECONDS = 0.01


@pytest.fixture
def claimed(submit):
    """A report, and the token of its lease."""
    report, token = submit(), uuid4()
    leases.claim(report.pid, token)
    return report, token


def wait_for(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def work_until_told_to_stop(heartbeat):
    """What a run does: tells its progress, until that raises."""
    wait_for(lambda: heartbeat.report_progress(READING))


def test_it_writes_the_progress(claimed):
    report, token = claimed
    with Heartbeat(report.pid, token) as heartbeat:
        heartbeat.report_progress(READING)
        wait_for(lambda: Report.objects.filter(rows_read=1000).exists())

    report.refresh_from_db()
    assert (report.stage, report.progress, report.rows_read) == ("reading", 0.25, 1000)


def test_it_renews_the_lease_without_any_progress(claimed):
    report, token = claimed
    before = Report.objects.values_list("lease_expires").get()

    with Heartbeat(report.pid, token):
        wait_for(lambda: Report.objects.values_list("lease_expires").get() > before)


def test_it_stops_a_run_whose_lease_is_lost(claimed):
    report, token = claimed
    with pytest.raises(LeaseLost), Heartbeat(report.pid, token) as heartbeat:
        Report.objects.update(lease_token=uuid4())
        work_until_told_to_stop(heartbeat)


def test_it_stops_a_run_whose_report_is_deleted(claimed):
    report, token = claimed
    files.start_attempt(report.pid, token)
    with pytest.raises(LeaseLost), Heartbeat(report.pid, token) as heartbeat:
        delete_report(report.pid)
        work_until_told_to_stop(heartbeat)


def test_it_forgives_a_database_that_is_away_for_a_while(claimed, monkeypatch, caplog):
    report, token = claimed
    renew = leases.renew
    failures: list[object] = []

    def fail_three_times(*args):
        if len(failures) < 3:
            failures.append(args)
            raise OperationalError("the server is starting up")
        return renew(*args)

    monkeypatch.setattr(leases, "renew", fail_three_times)

    with Heartbeat(report.pid, token) as heartbeat:
        heartbeat.report_progress(READING)
        wait_for(lambda: Report.objects.filter(rows_read=1000).exists())

    assert caplog.text.count("its lease could not be renewed: the server is starting up") == 3


def test_it_stops_a_run_once_the_database_has_been_away_too_long(claimed, monkeypatch, settings):
    settings.BMAT_LEASE_SECONDS = 0.1
    report, token = claimed

    def fail(*_):
        raise OperationalError("the server is starting up")

    monkeypatch.setattr(leases, "renew", fail)

    with pytest.raises(LeaseLost), Heartbeat(report.pid, token) as heartbeat:
        work_until_told_to_stop(heartbeat)


def test_it_stops_a_run_whose_worker_ends(claimed, worker_ends):
    report, token = claimed
    with pytest.raises(WorkerEnds), Heartbeat(report.pid, token) as heartbeat:
        heartbeat.report_progress(READING)
        worker_ends()
        heartbeat.report_progress(READING)


def test_it_leaves_no_thread_behind(claimed):
    report, token = claimed
    wait_for(lambda: not beating_threads())

    with pytest.raises(ZeroDivisionError), Heartbeat(report.pid, token):
        assert len(beating_threads()) == 1
        raise ZeroDivisionError

    wait_for(lambda: not beating_threads())


def test_reports_that_follow_one_another_share_a_thread(claimed, settings):
    settings.BMAT_HEARTBEAT_SECONDS = 0.1
    report, token = claimed
    with Heartbeat(report.pid, token):
        first = beating_threads()

    with Heartbeat(report.pid, token):
        assert beating_threads() == first


def beating_threads():
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
