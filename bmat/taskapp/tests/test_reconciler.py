"""The reconciler inside a worker. Its steps are called as a worker calls them."""

import time
from types import SimpleNamespace

import pytest
from django.db import ProgrammingError
from kombu import Connection

from bmat.api.models import Report
from bmat.api.services import reconcile
from bmat.taskapp import queues
from bmat.taskapp.celery import app
from bmat.taskapp.reconciler import Reconciler, TickConsumer

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = "2020-01-01T00:00:00Z"


class Timer:
    """A worker's clock, moved by hand."""

    def __init__(self):
        self.calls = []

    def call_repeatedly(self, seconds, call):
        self.calls.append((seconds, call))
        return SimpleNamespace(cancel=self.calls.clear)


@pytest.fixture
def worker():
    return SimpleNamespace(timer=Timer())


@pytest.fixture
def reconciler(worker):
    step = Reconciler(worker)
    yield step
    if step._thread is not None:
        step._thread.join()


@pytest.fixture
def due(submit, rung):
    """A report that a reconciler would ring for."""
    report = submit()
    rung()
    Report.objects.update(ring_at=LONG_AGO)
    return report


def test_it_reconciles_at_the_start_of_its_worker(worker, reconciler, due, rung):
    reconciler.start(worker)
    reconciler._thread.join()

    assert rung() == [str(due.pid)]


def test_it_reconciles_by_itself_where_beat_is_silent(worker, reconciler, due, rung, settings):
    reconciler.start(worker)
    reconciler._thread.join()
    rung()
    [(seconds, call)] = worker.timer.calls
    reconciler._last_heard -= 3 * settings.BMAT_RECONCILE_SECONDS

    for _ in range(2):
        Report.objects.update(ring_at=LONG_AGO)
        call()
        reconciler._thread.join()
        assert rung() == [str(due.pid)]

    assert seconds == settings.BMAT_RECONCILE_SECONDS


def test_it_leaves_the_time_to_beat_where_there_is_one(worker, reconciler, rung):
    reconciler.start(worker)
    started = reconciler._thread

    worker.timer.calls[0][1]()

    assert reconciler._thread is started


def test_it_does_not_start_again_while_a_tick_is_under_way(reconciler, monkeypatch):
    monkeypatch.setattr("bmat.taskapp.reconciler.reconcile_where_possible", lambda: time.sleep(0.2))
    reconciler.tick()
    first = reconciler._thread

    reconciler.tick()

    assert reconciler._thread is first


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_it_ends_with_its_worker(worker, reconciler, end):
    reconciler.start(worker)

    getattr(reconciler, end)(worker)

    assert worker.timer.calls == []


def test_it_ends_with_a_worker_that_has_not_started(worker, reconciler):
    reconciler.stop(worker)


def test_it_hears_the_ticks_of_beat(worker, reconciler, due, rung):
    consumer = worker_consumer(worker)
    step = TickConsumer(consumer)
    step.start(consumer)
    entry = app.conf.beat_schedule["reconcile-reports"]
    options = {**entry["options"], "connection": consumer.connection}

    app.send_task(entry["task"], **options)
    consumer.connection.drain_events(timeout=5)
    reconciler._thread.join()
    step.shutdown(consumer)

    assert rung() == [str(due.pid)]
    assert entry["options"]["queue"] == queues.RECONCILE


@pytest.mark.parametrize("end", ["stop", "shutdown"])
def test_it_hears_on_after_the_broker_was_lost(worker, reconciler, due, rung, end):
    consumer = worker_consumer(worker)
    step = TickConsumer(consumer)
    getattr(step, end)(consumer)
    step.start(consumer)
    kept, consumer.connection = consumer.connection, None

    getattr(step, end)(consumer)
    consumer.connection = kept
    step.start(consumer)
    app.send_task(queues.RECONCILE_REPORTS, queue=queues.RECONCILE, connection=kept)
    kept.drain_events(timeout=5)
    reconciler._thread.join()

    assert rung() == [str(due.pid)]


def worker_consumer(worker):
    """The part of a worker that talks to the broker."""
    connection = Connection("memory://")
    errors = {
        "connection_errors": connection.connection_errors,
        "channel_errors": connection.channel_errors,
    }
    return SimpleNamespace(controller=worker, connection=connection, **errors)


def test_it_is_a_part_of_every_worker():
    app.loader.import_default_modules()

    assert Reconciler in app.steps["worker"]
    assert TickConsumer in app.steps["consumer"]


def test_it_lets_a_database_pass_that_is_away_or_not_migrated_yet(monkeypatch, caplog):
    def fail():
        raise ProgrammingError('relation "api_report" does not exist')

    monkeypatch.setattr(reconcile, "reconcile_reports", fail)

    reconcile.reconcile_where_possible()

    assert 'could not be reconciled: relation "api_report" does not exist' in caplog.text
