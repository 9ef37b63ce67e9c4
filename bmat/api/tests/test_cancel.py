"""`POST /api/reports/<pid>/cancel`."""

from uuid import uuid4

import pytest

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.models.reports import Outcome
from bmat.api.services import process
from bmat.api.services.process import process_report

pytestmark = pytest.mark.django_db(transaction=True)

Status = Report.Status


def cancel(client, pid, slash=""):
    return client.post(f"/api/reports/{pid}/cancel{slash}")


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_cancels_a_report_that_waits(client, submit, slash):
    report = submit()

    response = cancel(client, report.pid, slash)

    assert response.status_code == 200
    assert response.json() == client.get(f"/api/reports/{report.pid}").json()
    assert (response.json()["status"], response.json()["state"]) == (3, "cancelled")
    assert response.json()["duration_seconds"] is None
    assert "Retry-After" not in response


def test_no_worker_takes_it_up_from_then_on(client, submit, left_over):
    report = submit()
    cancel(client, report.pid)

    process_report(report.pid, uuid4())

    assert Report.objects.get().status == Status.CANCELLED
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_stops_a_report_that_runs(client, submit, settings, monkeypatch, left_over):
    settings.BMAT_HEARTBEAT_SECONDS = 0.01
    report = submit()

    def aggregate(*_, on_progress, **__):
        cancel(client, report.pid)
        while True:
            on_progress(None)

    monkeypatch.setattr(process, "aggregate", aggregate)

    process_report(report.pid, uuid4())

    assert Report.objects.get().status == Status.CANCELLED
    assert report.attempt_log.get().outcome == Outcome.CANCELLED
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_can_be_repeated(client, submit):
    report = submit()
    first = cancel(client, report.pid)

    again = cancel(client, report.pid)

    assert (again.status_code, again.json()) == (200, first.json())


@pytest.mark.parametrize("content, state", [(b"A,2020-01-01,1\n", "done"), (b"", "failed")])
def test_it_refuses_a_report_that_has_ended(client, submit, content, state):
    report = submit(content)
    process_report(report.pid, uuid4())

    response = cancel(client, report.pid)

    assert response.status_code == 409
    message = f"The report is {state}: there is nothing to cancel."
    assert response.json() == told_as("not_cancellable", message)


@pytest.mark.parametrize("pid", [uuid4(), "no-uuid"])
def test_it_does_not_know_a_missing_or_malformed_pid(client, pid):
    assert cancel(client, pid).status_code == 404


def test_it_refuses_another_method(client, submit):
    response = client.get(f"/api/reports/{submit().pid}/cancel")

    assert response.status_code == 405
    message = 'Method "GET" not allowed.'
    assert response.json() == told_as("method_not_allowed", message)
