"""Reports past BMAT_RETENTION_DAYS: their files go, and they say so."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils.dateparse import parse_datetime

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.services import leases
from bmat.api.services.process import process_report
from bmat.api.services.sweep import sweep_files

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def done(submit):
    report = submit()
    process_report(report.pid, uuid4())
    return Report.objects.get()


@pytest.fixture
def expired(done):
    Report.objects.update(finished=LONG_AGO)
    sweep_files()
    return Report.objects.get()


def test_it_tells_when_a_report_expires(client, done):
    expires = parse_datetime(client.get(f"/api/reports/{done.pid}").json()["expires"])

    assert expires == done.finished + timedelta(days=30)


def test_it_removes_the_files_and_keeps_the_row(expired, left_over):
    assert left_over() == []
    assert expired.status == Report.Status.DONE
    assert (expired.input_file.name, expired.output_file.name) == ("", "")


@pytest.mark.parametrize("tail", ["", "/", "/output", "/rejects"])
def test_it_says_when_and_why_the_files_went(client, expired, tail):
    response = client.get(f"/api/reports/{expired.pid}{tail}")

    removed = expired.expired.isoformat(timespec="seconds")
    assert response.status_code == 410
    message = (
        f"The files of this report were removed on {removed}: they are kept for 30 days "
        "after its end. Upload the file again."
    )
    why = {"expired": removed, "reason": "retention"}
    assert response.json() == told_as("files_expired", message) | why


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_it_says_so_to_whoever_would_change_it(client, expired, action):
    assert client.post(f"/api/reports/{expired.pid}/{action}").status_code == 410


def test_it_is_still_listed_without_files(client, expired):
    [listed] = client.get("/api/reports/").json()["results"]

    assert (listed["pid"], listed["output_file"]) == (str(expired.pid), None)


def test_it_can_be_deleted(client, expired):
    assert client.delete(f"/api/reports/{expired.pid}").status_code == 204
    assert client.get(f"/api/reports/{expired.pid}").status_code == 404


@pytest.mark.parametrize("status", [Report.Status.FAILED, Report.Status.CANCELLED])
def test_it_treats_other_ends_alike(submit, left_over, status):
    submit()
    Report.objects.update(status=status, finished=LONG_AGO)

    assert sweep_files().reports == 1
    assert left_over() == []


def test_it_keeps_what_has_not_had_its_time(done, left_over):
    before = left_over()

    assert sweep_files().reports == 0
    assert left_over() == before


def test_it_keeps_a_report_that_waits_for_long(submit, left_over):
    submit()
    Report.objects.update(created=LONG_AGO, updated=LONG_AGO)
    before = left_over()

    assert sweep_files().reports == 0
    assert left_over() == before


def test_it_keeps_what_was_retried_meanwhile(done, monkeypatch, left_over):
    Report.objects.update(finished=LONG_AGO)
    monkeypatch.setattr(leases, "expire", lambda pid: False)
    before = left_over()

    assert sweep_files().reports == 0
    assert left_over() == before
