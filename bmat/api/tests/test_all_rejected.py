"""Reports that fail because every record was rejected: the list of these is all that they have, and
is a file like any other.
"""

import errno
import os
import time
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat.api.models import Report, Status
from bmat.api.services import files, leases
from bmat.api.services.process import process_report
from bmat.api.services.reports import delete_report
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.people import person, token_of
from bmat.api.tests.results import body, finished

pytestmark = pytest.mark.django_db(transaction=True)

FILE = b"Song,Date,Number of Plays\nA,never,1\nB,2020-01-01,x\n"
REJECTS = b'Line,Reason,Record\n2,invalid_date,"A,never,1"\n3,invalid_plays,"B,2020-01-01,x"\n'


@pytest.fixture
def report(submit):
    return finished(submit(FILE))


@pytest.fixture
def url(report):
    return f"/api/reports/{report.pid}"


def test_it_has_failed_and_shows_what_was_wrong(client, report, url):
    shown = client.get(url).json()

    assert (shown["state"], shown["error"]["code"]) == ("failed", "no_valid_rows")
    assert (shown["rows_read"], shown["rows_rejected"], shown["groups"]) == (2, 2, 0)
    assert shown["rejects_file"] == f"http://testserver{url}/rejects"
    assert shown["output_file"] is None
    samples = {reason: each["examples"] for reason, each in shown["rejects_sample"].items()}
    assert samples == {
        "invalid_date": [{"line": 2, "record": "A,never,1"}],
        "invalid_plays": [{"line": 3, "record": "B,2020-01-01,x"}],
    }


@pytest.mark.parametrize("tail", ["/rejects", "/rejects/", "/rejects?excel_safe=1"])
def test_its_rejects_can_be_downloaded(client, url, tail):
    response = client.get(url + tail)

    assert (response.status_code, body(response)) == (200, REJECTS)


@pytest.mark.parametrize("tail", ["output", "output?format=parquet", "rows", "summary"])
def test_it_has_no_totals(client, url, tail):
    response = client.get(f"{url}/{tail}")

    assert (response.status_code, response.json()["code"]) == (409, "report_failed")


def test_nothing_else_is_left_of_the_attempt(report, left_over):
    assert [path.rsplit("/")[-1] for path in left_over() if path.count(".")] == [
        "rejects.csv",
        "input.csv",
    ]


def test_its_rejects_are_safe_on_disk_before_it_has_failed(submit, monkeypatch):
    synced: list[bytes] = []

    def sync(*paths):
        synced.extend(path.read_bytes() for path in paths)
        assert Report.objects.get().status == Status.PROCESSING

    report = submit(FILE)
    monkeypatch.setattr(files, "sync", sync)

    assert finished(report).error_code == "no_valid_rows"
    assert synced == [REJECTS]


def test_a_disk_that_is_full_then_is_named(submit, monkeypatch, left_over):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    report = submit(FILE)
    before = left_over()
    monkeypatch.setattr(files, "sync", fail)

    assert finished(report).error_code == "out_of_disk"
    assert left_over() == before


def test_its_rejects_go_with_the_attempt_where_the_lease_is_lost(submit, monkeypatch, left_over):
    report = submit(FILE)
    before = left_over()
    monkeypatch.setattr(leases, "fail", lambda *_: False)

    process_report(report.pid, uuid4())

    assert left_over() == before


def test_its_rejects_count_among_what_its_owner_keeps(client, settings, submit):
    settings.BMAT_REQUIRE_AUTH = True
    report = finished(submit(FILE, owner=person("alice")))
    assert report.result_bytes == len(REJECTS)
    settings.BMAT_MAX_STORED_BYTES = len(FILE) + len(REJECTS)

    file = SimpleUploadedFile("more.csv", FILE)
    response = client.post("/api/reports/", {"input_file": file}, headers=token_of(person("alice")))

    assert (response.status_code, response.json()["code"]) == (429, "too_many_bytes")


def test_a_sweep_leaves_its_rejects_alone(report, home, left_over):
    old = time.time() - 10**6
    for name in left_over():
        os.utime(home / name, (old, old))
    before = left_over()

    sweep_files()

    assert left_over() == before


def test_its_rejects_expire_with_it(client, report, url, left_over):
    Report.objects.update(finished="2020-01-01T00:00:00Z")

    assert sweep_files().reports == 1

    assert left_over() == []
    assert client.get(f"{url}/rejects").status_code == 410
    assert client.get(url).status_code == 410


def test_its_rejects_are_deleted_with_it(report, left_over):
    delete_report(report.pid)

    assert left_over() == []


def test_a_retry_begins_without_them(client, report, url, left_over):
    shown = client.post(f"{url}/retry").json()

    assert (shown["rejects_file"], shown["rejects_sample"], shown["rows_rejected"]) == (None, {}, 0)
    assert client.get(f"{url}/rejects").json()["code"] == "report_processing"
    report.refresh_from_db()
    assert (report.result_bytes, report.warnings, report.preset) == (0, [], "")


def test_a_retry_replaces_them(client, report, url, left_over):
    first = report.rejects_file.name
    client.post(f"{url}/retry")

    again = finished(report)

    assert again.rejects_file.name != first
    assert [path for path in left_over() if path.endswith("rejects.csv")] == [
        f"reports/{again.rejects_file.name}"
    ]
