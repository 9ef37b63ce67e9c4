"""Which workers are told of a report, and over which connection."""

from uuid import uuid4

import pytest
from kombu.transport import memory

from bmat.api.services import queue
from bmat.api.services.queue import queue_for
from bmat.api.tests.fixtures import PLAYS, drain_queue
from bmat.taskapp.celery import app


@pytest.mark.parametrize("input_bytes, queue", [(0, "small"), (999, "small"), (1000, "large")])
def test_it_keeps_large_reports_out_of_the_way_of_small_ones(settings, input_bytes, queue):
    settings.BMAT_LARGE_REPORT_BYTES = 1000

    assert queue_for(input_bytes) == queue


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit_bytes, queue", [(len(PLAYS), "large"), (len(PLAYS) + 1, "small")])
def test_an_upload_goes_to_the_workers_for_its_size(submit, settings, enqueued, limit_bytes, queue):
    settings.BMAT_LARGE_REPORT_BYTES = limit_bytes

    report = submit()

    assert report.input_bytes == len(PLAYS)
    with app.connection_for_read() as connection:
        assert drain_queue(connection, queue) == [str(report.pid)]


@pytest.fixture
def refuse(monkeypatch):
    """Lets the next `times` messages find the connection closed."""
    real, refused = memory.Channel._put, list[str]()

    def arrange(times):
        def put(channel, queue, *args, **kwargs):
            if len(refused) < times:
                refused.append(queue)
                raise ConnectionResetError("the broker has restarted")
            return real(channel, queue, *args, **kwargs)

        monkeypatch.setattr(memory.Channel, "_put", put)

    return arrange


def test_it_keeps_its_connection(enqueued):
    first, second = uuid4(), uuid4()
    queue.enqueue(first, 1)
    producer = queue.broker.producer

    assert queue.enqueue(second, 1)

    assert queue.broker.producer is producer
    assert enqueued() == [str(first), str(second)]


def test_it_sends_over_a_connection_that_the_broker_had_closed(enqueued, refuse):
    pid = uuid4()
    queue.enqueue(pid, 1)
    refuse(1)

    assert queue.enqueue(pid, 1)

    assert enqueued() == [str(pid)] * 2


def test_it_begins_anew_after_a_message_that_was_refused(db, enqueued, refuse):
    pid = uuid4()
    queue.broker.close()
    producer = queue.broker.producer
    refuse(1)

    assert not queue.enqueue(pid, 1)
    assert queue.broker.producer is not producer

    assert queue.enqueue(pid, 1)
    assert enqueued() == [str(pid)]


@pytest.mark.parametrize("waiting", [0, 1])
def test_it_tells_an_empty_queue(enqueued, waiting):
    for _ in range(waiting):
        queue.enqueue(uuid4(), 1)

    assert queue.is_empty("small") == (not waiting)
    assert queue.is_empty("large")
