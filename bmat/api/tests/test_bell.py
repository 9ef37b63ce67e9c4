"""Which workers are told of a report."""

import pytest

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
