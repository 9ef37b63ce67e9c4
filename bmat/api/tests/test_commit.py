"""The commit of an upload's row: what becomes of the file where it fails, and of the message after
it.
"""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.reports import Submission, submit_report
from bmat.api.tests.fixtures import PLAYS, received

pytestmark = pytest.mark.django_db(transaction=True)


def upload():
    return SimpleUploadedFile("plays.csv", PLAYS)


def test_it_sends_nothing_and_keeps_nothing_when_the_row_is_rolled_back(
    monkeypatch, enqueued, left_over
):
    def fail(*_, **__):
        raise DatabaseError("no room for the row")

    monkeypatch.setattr("bmat.api.services.reports.Report.objects.create", fail)

    with pytest.raises(DatabaseError):
        submit_report(Submission([received()]))

    assert enqueued() == []
    assert left_over() == []


def test_it_sends_nothing_when_the_commit_fails(monkeypatch, enqueued, left_over):
    def fail(*_, **__):
        raise DatabaseError("the server went away")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper._commit", fail)

    with pytest.raises(DatabaseError):
        submit_report(Submission([received()]))

    assert enqueued() == []
    assert left_over() == []


def test_it_keeps_the_file_where_nobody_knows_whether_the_commit_took_place(
    monkeypatch, left_over, caplog
):
    """The row may be there: its report must find its file. If it is not, the file is swept."""

    def commit_and_lose_the_connection(wrapper):
        real(wrapper)
        raise OperationalError("server closed the connection unexpectedly")

    real = getattr(BaseDatabaseWrapper, "_commit")
    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose_the_connection)

    with pytest.raises(OperationalError):
        submit_report(Submission([received()]))

    pid = Report.objects.get().pid
    assert left_over() == [f"reports/{pid}", f"reports/{pid}/input.csv"]
    assert f"report {pid}: its commit was not confirmed, its files are kept" in caplog.text


def test_it_keeps_nothing_where_the_database_was_away_before_the_commit(monkeypatch, left_over):
    def fail(*_, **__):
        raise OperationalError("connection refused")

    monkeypatch.setattr("bmat.api.services.reports.Report.objects.create", fail)

    with pytest.raises(OperationalError):
        submit_report(Submission([received()]))

    assert left_over() == []


def test_it_accepts_an_upload_while_the_broker_is_down(client, monkeypatch, caplog):
    monkeypatch.setattr("kombu.transport.memory.Channel._put", refuse_connection)

    response = client.post("/api/reports/", {"input_file": upload()})

    assert response.status_code == 201
    assert f"report {response.json()['pid']}: it waits, for the broker" in caplog.text


def test_it_accepts_an_upload_whatever_becomes_of_its_message(client, monkeypatch, caplog):
    def fail(*_, **__):
        raise UnicodeError("a host that has no name")

    monkeypatch.setattr("bmat.api.services.queue.app.send_task", fail)

    response = client.post("/api/reports/", {"input_file": upload()})

    assert response.status_code == 201
    assert files.path(Report.objects.get().input_file.name or "").read_bytes() == PLAYS
    assert "a host that has no name" in caplog.text


def test_it_keeps_the_file_of_a_committed_row_whatever_happens_then(monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bmat.api.services.queue.app.send_task", fail)

    with pytest.raises(KeyboardInterrupt):
        submit_report(Submission([received()]))

    assert files.path(Report.objects.get().input_file.name or "").exists()


def refuse_connection(*_, **__):
    raise ConnectionRefusedError("nobody listens")
