"""A database that restarts in the middle: a report is finished all the same, or left to its lease,
and never failed for it.
"""

from uuid import uuid4

import pytest
from django.db import InterfaceError, OperationalError

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.services import database, files, leases, process
from bmat.api.services.database import retry_while_database_is_down
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import TOTALS
from bmat.taskapp import tasks

pytestmark = pytest.mark.django_db(transaction=True)

AWAY = OperationalError("server closed the connection unexpectedly")


@pytest.fixture(autouse=True)
def fast(settings, monkeypatch):
    settings.BMAT_LEASE_SECONDS = 0.2
    monkeypatch.setattr(database, "ASK_AGAIN_SECONDS", 0.01)


@pytest.fixture
def report(submit):
    return submit()


@pytest.fixture
def break_before(monkeypatch):
    """Lets the first `times` calls of a query find the database away."""
    return lambda name, times: break_calls(monkeypatch, name, times, lambda call, args: None)


@pytest.fixture
def break_after(monkeypatch):
    """Lets a query take effect and only its answer get lost, `times` times."""
    return lambda name, times: break_calls(monkeypatch, name, times, lambda call, args: call(*args))


def break_calls(monkeypatch, name, times, happens):
    real, broken = getattr(leases, name), list[object]()

    def call(*args):
        if len(broken) < times:
            happens(real, args)
            broken.append(args)
            raise AWAY
        return real(*args)

    monkeypatch.setattr(leases, name, call)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_it_asks_again_until_the_database_answers(error, caplog):
    answers = iter([error("away"), error("away"), 42])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry_while_database_is_down(ask) == 42
    assert caplog.text.count("the database is away, and is asked again: away") == 2


def test_it_gives_up_after_a_lease():
    def ask():
        raise AWAY

    with pytest.raises(OperationalError):
        retry_while_database_is_down(ask)


@pytest.mark.parametrize("name", ["claim", "finish"])
def test_it_waits_for_the_database(report, break_before, name):
    break_before(name, 3)

    process_report(report.pid, uuid4())

    assert Report.objects.get().status == Report.Status.DONE
    assert Report.objects.get().attempts == 1


@pytest.mark.parametrize("name", ["claim", "finish"])
def test_it_goes_on_where_only_the_answer_got_lost(report, break_after, name):
    token = uuid4()
    break_after(name, 1)

    process_report(report.pid, token)

    report.refresh_from_db()
    assert (report.status, report.attempts) == (Report.Status.DONE, 1)
    assert report.output_file.name == files.output_name(report.pid, token)
    assert files.path(report.output_file.name).read_bytes() == TOTALS


def test_it_keeps_the_files_of_a_flip_that_was_never_confirmed(report, break_after):
    break_after("finish", 10**6)

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert report.status == Report.Status.DONE
    assert files.path(report.output_file.name).read_bytes() == TOTALS


def test_it_waits_with_the_failure_of_a_file_too(submit, break_before):
    report = submit(b"")
    break_before("fail", 3)

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert report.error_code == "empty_file"


@pytest.mark.parametrize("name", ["claim", "finish"])
def test_it_leaves_the_report_to_its_lease_where_the_database_stays_away(
    report, break_before, name, caplog
):
    break_before(name, 10**6)

    tasks.process_report(str(report.pid))

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Report.Status.PROCESSING, "")
    assert f"report {report.pid}: left to its lease, for the database is away" in caplog.text


def test_it_leaves_an_unexpected_error_to_the_lease_where_the_database_is_away_too(
    report, break_before, monkeypatch
):
    def fail(*_, **__):
        raise RuntimeError("the internal cause")

    monkeypatch.setattr(process, "aggregate", fail)
    break_before("fail", 10**6)

    with pytest.raises(RuntimeError):
        tasks.process_report(str(report.pid))

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Report.Status.PROCESSING, "")


def test_a_request_meanwhile_is_told_to_come_again(client, report, monkeypatch):
    def fail(*_):
        raise AWAY

    monkeypatch.setattr("bmat.api.views.reports.ReportViewSet.get_object", fail)

    response = client.get(f"/api/reports/{report.pid}")

    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    message = "The service is not available for a moment. Try again."
    assert response.json() == told_as("unavailable", message)
