"""Which workers are told of a report, and over which connection."""

from uuid import uuid4

import pytest
from kombu.transport import memory

from bmat.api.services import bell
from bmat.api.services.bell import queue_for
from bmat.api.tests.fixtures import PLAYS, drain_queue
from bmat.taskapp.celery import app


@pytest.mark.parametrize("input_bytes, queue", [(0, "small"), (999, "small"), (1000, "large")])
def test_it_keeps_large_reports_out_of_the_way_of_small_ones(settings, input_bytes, queue):
    settings.BMAT_LARGE_REPORT_BYTES = 1000

    assert queue_for(input_bytes) == queue


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit_bytes, queue", [(len(PLAYS), "large"), (len(PLAYS) + 1, "small")])
def test_an_upload_goes_to_the_workers_for_its_size(submit, settings, rung, limit_bytes, queue):
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


def test_it_keeps_its_connection(rung):
    first, second = uuid4(), uuid4()
    bell.ring(first, 1)
    producer = bell.line.producer

    assert bell.ring(second, 1)

    assert bell.line.producer is producer
    assert rung() == [str(first), str(second)]


def test_it_rings_over_a_connection_that_the_broker_had_closed(rung, refuse):
    pid = uuid4()
    bell.ring(pid, 1)
    refuse(1)

    assert bell.ring(pid, 1)

    assert rung() == [str(pid)] * 2


def test_it_begins_anew_after_a_ring_that_was_not_heard(rung, refuse):
    pid = uuid4()
    bell.line.hang_up()
    producer = bell.line.producer
    refuse(1)

    assert not bell.ring(pid, 1)
    assert bell.line.producer is not producer

    assert bell.ring(pid, 1)
    assert rung() == [str(pid)]
