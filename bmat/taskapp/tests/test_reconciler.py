"""The reconciler inside a worker. Its step is called as a worker calls it."""

import time
from types import SimpleNamespace

import pytest
from django.db import ProgrammingError

from bmat.api.models import Report
from bmat.api.services import queue, reconcile
from bmat.taskapp import tasks
from bmat.taskapp.celery import app
from bmat.taskapp.tasks import Reconciler, wait_seconds

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = "2020-01-01T00:00:00Z"
DEADLINE_SECONDS = 10.0


@pytest.fixture
def reconciler(settings):
    settings.BMAT_RECONCILE_SECONDS = 0.02
    step = Reconciler(SimpleNamespace())
    yield step
    step.stop(None)
    if step._thread.ident is not None:
        step._thread.join(DEADLINE_SECONDS)


@pytest.fixture
def due(submit, enqueued):
    """A report whose message is due, and in no queue."""
    report = submit()
    enqueued()
    Report.objects.update(next_enqueue_at=LONG_AGO)
    return report


def wait_for(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def test_it_reconciles_from_the_start_of_its_worker_on(reconciler, due, enqueued):
    reconciler.start(None)

    for _ in range(2):
        wait_for(lambda: enqueued() == [str(due.pid)])
        Report.objects.update(next_enqueue_at=LONG_AGO)


def test_many_workers_do_not_reconcile_at_the_same_moment(settings):
    settings.BMAT_RECONCILE_SECONDS = 5

    waits = {wait_seconds() for _ in range(100)}

    assert len(waits) > 90
    assert 2.5 <= min(waits) < 3 < 4.5 < max(waits) <= 5


def test_it_goes_on_after_an_error_that_nobody_expected(reconciler, monkeypatch, caplog):
    calls = []

    def fail():
        calls.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "reconcile_where_possible", fail)

    reconciler.start(None)

    wait_for(lambda: len(calls) > 1)
    assert "the reports could not be reconciled" in caplog.text


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_it_ends_with_its_worker(reconciler, end):
    reconciler.start(None)

    getattr(reconciler, end)(None)

    wait_for(lambda: not reconciler._thread.is_alive())


def test_it_ends_with_a_worker_that_has_not_started(reconciler):
    reconciler.stop(None)


def test_it_leaves_no_connection_to_the_broker_open(due, enqueued):
    connection = queue.broker.connection

    reconcile.reconcile_where_possible()

    assert enqueued() == [str(due.pid)]
    assert queue.broker.connection is not connection
    assert not connection.connected


def test_it_is_a_part_of_every_worker():
    app.loader.import_default_modules()

    assert Reconciler in app.steps["worker"]


def test_it_lets_a_database_pass_that_is_away_or_not_migrated_yet(monkeypatch, caplog):
    def fail():
        raise ProgrammingError('relation "api_report" does not exist')

    monkeypatch.setattr(reconcile, "reconcile_reports", fail)

    reconcile.reconcile_where_possible()

    assert 'could not be reconciled: relation "api_report" does not exist' in caplog.text
