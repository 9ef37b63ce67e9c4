"""The reconciler: `manage.py reconcile_reports`."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command

from bmat.api.models import Report
from bmat.api.services import reconcile
from bmat.api.services.reconcile import reconcile_reports

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def waiting(submit):
    """Two reports for which it is time to ring."""
    reports = [submit(), submit()]
    Report.objects.update(ring_at=LONG_AGO)
    return reports


def test_it_rings_for_what_nobody_has_claimed_in_time(waiting, rung):
    assert reconcile_reports() == 2
    assert rung() == [str(report.pid) for report in waiting]


def test_it_leaves_a_fresh_report_to_its_first_ring(submit, rung):
    submit()

    assert reconcile_reports() == 0
    assert rung() == []


def test_it_does_not_ring_twice_in_a_row(waiting, rung):
    reconcile_reports()
    rung()

    assert reconcile_reports() == 0
    assert rung() == []


def test_it_does_not_ring_for_what_somebody_works_on(waiting, rung):
    Report.objects.claim(waiting[0].pid, uuid4())

    reconcile_reports()

    assert rung() == [str(waiting[1].pid)]


def test_it_rings_at_once_for_what_a_dead_worker_left(submit, rung, caplog):
    report = submit()
    Report.objects.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO)

    reconcile_reports()

    assert rung() == [str(report.pid)]
    assert f"report {report.pid}: its worker was lost, attempt 1" in caplog.text


def test_it_fails_what_has_cost_every_worker_its_life(submit, rung, settings):
    report = submit()
    Report.objects.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO, attempts=settings.BMAT_MAX_ATTEMPTS)

    reconcile_reports()

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Report.Status.FAILED, "worker_lost")
    assert report.error_message == reconcile.WORKER_LOST_MESSAGE
    assert rung() == []


def test_it_stops_at_a_broker_that_is_down_and_rings_once_it_is_back(waiting, rung, monkeypatch):
    def refuse(*_, **__):
        raise ConnectionRefusedError("nobody listens")

    with monkeypatch.context() as broker_down:
        broker_down.setattr("kombu.transport.memory.Channel._put", refuse)
        assert reconcile_reports() == 0

    assert reconcile_reports() == 2
    assert sorted(rung()) == sorted(str(report.pid) for report in waiting)


def test_it_rings_for_a_limited_number_at_once(waiting, rung, monkeypatch):
    monkeypatch.setattr(reconcile, "RINGS_AT_ONCE", 1)

    assert reconcile_reports() == 1
    assert rung() == [str(waiting[0].pid)]


def test_it_leaves_alone_what_another_reconciler_rings_for(waiting, rung, monkeypatch):
    monkeypatch.setattr(Report.objects, "postpone_ring", lambda report: False)

    assert reconcile_reports() == 0
    assert rung() == []


def test_it_can_be_called_by_hand(waiting, rung):
    out = StringIO()

    call_command("reconcile_reports", stdout=out)

    assert out.getvalue() == "2 reports rung for\n"
    assert len(rung()) == 2
