"""The tasks: each is a thin edge around a service."""

import pickle
import re
from pathlib import Path
from uuid import uuid4

import pytest
from celery.beat import Scheduler

from bmat.api.models import Report
from bmat.api.services import process
from bmat.taskapp import celery
from bmat.taskapp.celery import app
from bmat.taskapp.tasks import deliver_event, process_report, sweep_files

PRODUCTION = (Path(__file__).parents[3] / "production.yml").read_text()

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_processes_a_report(submit):
    report = submit()

    process_report(str(report.pid))

    assert Report.objects.get().status == Report.Status.DONE


def test_it_returns_quietly_for_an_unknown_pid(db):
    process_report(str(uuid4()))


def test_it_tells_no_internal_text_and_raises_when_something_unexpected_happens(
    submit, monkeypatch, left_over
):
    def fail(*_, **__):
        raise RuntimeError("the internal cause")

    report = submit()
    monkeypatch.setattr(process, "aggregate", fail)

    with pytest.raises(RuntimeError, match="the internal cause"):
        process_report(str(report.pid))

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Report.Status.FAILED, "internal_error")
    assert report.error_message == process.INTERNAL_ERROR_MESSAGE
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_a_file_at_fault_is_an_error_that_celery_expects(submit):
    report = submit(b"no,header\n")

    result = process_report.apply((str(report.pid),))

    assert (result.state, repr(result.result)) == ("FAILURE", "ReportFailed('missing_column')")
    assert isinstance(result.result, process_report.throws)
    assert pickle.loads(pickle.dumps(result.result)).args == ("missing_column",)


def test_it_says_nothing_about_an_error_after_its_lease_was_lost(submit, monkeypatch, caplog):
    def fail(*_, **__):
        Report.objects.update(lease_token=uuid4())
        raise FileNotFoundError("the folder was removed by the worker that took over")

    report = submit()
    monkeypatch.setattr(process, "aggregate", fail)

    process_report(str(report.pid))

    assert Report.objects.get().status == Report.Status.PROCESSING
    assert f"report {report.pid}: broken off, for its lease was lost" in caplog.text


def test_it_sweeps(submit):
    report = submit()
    Report.objects.update(status=Report.Status.DONE, finished="2020-01-01T00:00:00Z")

    sweep_files()

    report.refresh_from_db()
    assert report.expired is not None


def test_the_names_that_are_sent_are_those_of_tasks():
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}

    sent = {celery.PROCESS_REPORT, celery.CONVERT_RESULT, celery.DELIVER_EVENT}

    assert sent | scheduled <= set(app.tasks)


def test_it_consumes_every_queue():
    assert set(app.amqp.queues.consume_from) == {celery.SMALL, celery.LARGE, celery.WEBHOOKS}


def test_it_returns_quietly_for_an_unknown_delivery(db):
    deliver_event(str(uuid4()))


def test_every_tick_of_beat_expires_before_the_next():
    for entry in app.conf.beat_schedule.values():
        assert entry["options"]["expires"] <= entry["schedule"]


def test_beat_writes_its_file_more_often_than_the_health_check_asks_for():
    [minutes] = re.findall(r"celerybeat-schedule\*' -mmin -(\d+)", PRODUCTION)

    assert Scheduler.sync_every + 2 * app.conf.beat_max_loop_interval < 60 * int(minutes)


def test_it_keeps_the_name_of_its_worker(submit):
    report = submit()
    process_report.push_request(hostname="small@machine")

    process_report.run(str(report.pid))
    process_report.pop_request()

    assert report.attempt_log.get().worker == "small@machine"


def test_no_time_limit_ends_a_long_report():
    assert (app.conf.task_time_limit, app.conf.task_soft_time_limit) == (None, None)
    assert app.conf.task_acks_late
    assert app.conf.accept_content == ["json"]
