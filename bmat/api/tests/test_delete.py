"""`DELETE /api/reports/<pid>`."""

from uuid import uuid4

import pytest

from bmat.api.models import Report, ReportAttempt
from bmat.api.services import reports
from bmat.api.services.process import process_report

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_removes_row_and_files(client, submit, left_over):
    report = submit()
    process_report(report.pid, uuid4())

    response = client.delete(f"/api/reports/{report.pid}")

    assert response.status_code == 204
    assert response.content == b""
    assert Report.objects.count() == 0
    assert left_over() == []


def test_it_is_not_found_from_then_on(client, submit):
    url = f"/api/reports/{submit().pid}/"
    client.delete(url)

    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404


def test_it_keeps_the_other_reports(client, submit):
    kept, deleted = submit(), submit()

    client.delete(f"/api/reports/{deleted.pid}")

    assert client.get(f"/api/reports/{kept.pid}").status_code == 200
    assert kept.input_file.storage.exists(kept.input_file.name)


def test_it_is_not_found_where_another_request_was_faster(client, submit, monkeypatch):
    report = submit()
    monkeypatch.setattr("bmat.api.views.reports.delete_report", twice(reports.delete_report))

    assert client.delete(f"/api/reports/{report.pid}").status_code == 404


def test_it_removes_the_attempts(client, submit):
    report = submit()
    process_report(report.pid, uuid4())

    client.delete(f"/api/reports/{report.pid}")

    assert ReportAttempt.objects.count() == 0


def twice(call):
    def called_twice(pid):
        call(pid)
        return call(pid)

    return called_twice


@pytest.mark.parametrize("pid", [uuid4(), "no-uuid"])
def test_it_does_not_know_a_missing_or_malformed_pid(client, pid):
    assert client.delete(f"/api/reports/{pid}").status_code == 404


def test_it_says_so_where_a_file_cannot_be_removed_yet(client, submit, monkeypatch, caplog):
    report = submit()
    monkeypatch.setattr("bmat.api.services.files.shutil.rmtree", lambda *_, **__: None)

    assert client.delete(f"/api/reports/{report.pid}").status_code == 204
    assert f"{report.pid} could not be removed yet" in caplog.text
