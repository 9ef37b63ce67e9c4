"""The reconciler: `manage.py reconcile_reports`."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from amqp.exceptions import ConnectionError as AmqpConnectionError
from django.core.management import call_command
from django.utils import timezone

from bmat.api.models import Report
from bmat.api.services import leases, queue, reconcile
from bmat.api.services.reconcile import reconcile_reports

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def waiting(submit):
    """Two reports whose messages are due, and in no queue."""
    reports = [submit(), submit()]
    Report.objects.update(next_enqueue_at=queue.in_seconds(-1))
    return reports


def test_it_sends_a_message_for_what_nobody_has_claimed_in_time(waiting, enqueued):
    assert reconcile_reports() == 2
    assert enqueued() == [str(report.pid) for report in waiting]


def test_it_leaves_a_fresh_report_to_its_first_message(submit, enqueued):
    submit()

    assert reconcile_reports() == 0
    assert enqueued() == []


def test_it_does_not_send_twice_in_a_row(waiting, enqueued):
    reconcile_reports()
    enqueued()

    assert reconcile_reports() == 0
    assert enqueued() == []


def test_it_sends_nothing_for_what_somebody_works_on(waiting, enqueued):
    leases.claim(waiting[0].pid, uuid4())

    reconcile_reports()

    assert enqueued() == [str(waiting[1].pid)]


def test_it_sends_a_message_at_once_for_what_a_dead_worker_left(submit, enqueued, caplog):
    report = submit()
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO)

    reconcile_reports()

    assert enqueued() == [str(report.pid)]
    assert f"report {report.pid}: its worker was lost, attempt 1" in caplog.text


def test_it_fails_what_has_cost_every_worker_its_life(submit, enqueued, settings):
    report = submit()
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO, attempts=settings.BMAT_MAX_ATTEMPTS)

    reconcile_reports()

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Report.Status.FAILED, "worker_lost")
    assert report.error_message == leases.WORKER_LOST_MESSAGE
    assert enqueued() == []


def test_it_stops_at_a_broker_that_is_down_and_sends_once_it_is_back(
    waiting, enqueued, monkeypatch
):
    with monkeypatch.context() as broker_down:
        broker_down.setattr("kombu.transport.memory.Channel._put", refuse)
        assert reconcile_reports() == 0

    assert reconcile_reports() == 2
    assert sorted(enqueued()) == sorted(str(report.pid) for report in waiting)


def test_it_sends_a_limited_number_at_once(waiting, enqueued, monkeypatch):
    monkeypatch.setattr(reconcile, "MESSAGES_AT_ONCE", 1)

    assert reconcile_reports() == 1
    assert enqueued() == [str(waiting[0].pid)]


def test_it_leaves_alone_what_another_reconciler_sends(waiting, enqueued, monkeypatch):
    postpone = reconcile.postpone
    monkeypatch.setattr(reconcile, "postpone", lambda report: postpone(report) and postpone(report))

    assert reconcile_reports() == 0
    assert enqueued() == []


def test_it_can_be_called_by_hand(waiting, enqueued):
    out = StringIO()

    call_command("reconcile_reports", stdout=out)

    assert out.getvalue() == "2 messages sent\n"
    assert len(enqueued()) == 2


@pytest.mark.parametrize("count, wait_seconds", [(0, 5), (1, 10), (3, 40), (20, 60), (10**6, 60)])
def test_it_waits_twice_as_long_before_each_message(submit, enqueued, count, wait_seconds):
    submit()
    Report.objects.update(enqueue_count=count, next_enqueue_at=LONG_AGO)

    reconcile_reports()

    wait = Report.objects.get().next_enqueue_at - timezone.now()
    assert timedelta(seconds=wait_seconds - 2) < wait <= timedelta(seconds=wait_seconds)


@pytest.fixture
def busy(submit, enqueued):
    """A queue in which the message of some other report waits."""
    other = submit()
    assert queue.enqueue(other.pid, other.input_bytes)
    return other


def test_it_sends_no_second_message_for_a_report_that_waits_behind_others(busy, waiting, enqueued):
    assert reconcile_reports() == 0

    assert enqueued() == [str(busy.pid)]


def test_it_does_send_one_after_ten_minutes(busy, submit, enqueued):
    for seconds in (595, 605):
        report = submit()
        Report.objects.filter(pid=report.pid).update(next_enqueue_at=queue.in_seconds(-seconds))

    assert reconcile_reports() == 1

    assert enqueued() == [str(busy.pid), str(report.pid)]


def test_it_does_send_one_where_the_broker_was_down(busy, submit, enqueued, monkeypatch):
    report = submit()
    with monkeypatch.context() as broker_down:
        broker_down.setattr("kombu.transport.memory.Channel._put", refuse)
        assert not queue.enqueue(report.pid, report.input_bytes)

    assert reconcile_reports() == 1

    assert enqueued() == [str(busy.pid), str(report.pid)]


def test_messages_of_one_size_keep_none_of_the_other_back(busy, waiting, enqueued, settings):
    settings.BMAT_LARGE_REPORT_BYTES = 10**6
    Report.objects.filter(pid=waiting[1].pid).update(input_bytes=10**6)

    assert reconcile_reports() == 1

    assert enqueued() == [str(busy.pid), str(waiting[1].pid)]


def test_a_thousand_reports_behind_a_long_one_cost_no_message(busy, enqueued):
    rows = Report.objects.bulk_create([copy_of(busy) for _ in range(1000)])
    for row in rows:
        queue.enqueue(row.pid, row.input_bytes)

    assert sum(reconcile_reports() for _ in range(12)) == 0

    assert len(enqueued()) == 1001


@pytest.mark.parametrize("error", [ConnectionRefusedError, AmqpConnectionError])
def test_it_says_that_nobody_can_tell_how_long_a_queue_is(
    waiting, enqueued, monkeypatch, caplog, error
):
    def refuse(*_):
        raise error("nobody listens")

    monkeypatch.setattr("kombu.transport.memory.Channel._size", refuse)

    assert reconcile_reports() == 0

    assert "no message was sent, for the broker cannot be reached: nobody listens" in caplog.text


def copy_of(report):
    due = queue.in_seconds(-1)
    return Report(input_file=report.input_file, input_bytes=1, next_enqueue_at=due)


def refuse(*_, **__):
    raise ConnectionRefusedError("nobody listens")
