"""`POST /api/reports/` with several files."""

import errno
import os
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat.aggregation import AggregationError
from bmat.api.errors import invalid
from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.files import distinct
from bmat.api.services.process import process_report, told
from bmat.api.services.reports import delete_report
from bmat.api.tests.fixtures import PLAYS, TOTALS
from bmat.api.tests.people import person, token_of
from bmat.api.tests.results import body, finished

pytestmark = pytest.mark.django_db

HEADER = b"Song,Date,Number of Plays\n"
MORE = b"Date;Number of Plays;Song\n2020-01-01;7;Umbrella\n2020-01-32;1;Umbrella\n"


def upload(name, content=PLAYS, media_type="text/csv"):
    return SimpleUploadedFile(name, content, media_type)


def post(client, *uploads, headers=None, **fields):
    sent = {"input_file": list(uploads), **fields}
    return client.post("/api/reports/", sent, headers=headers or {})


@pytest.fixture
def report(client):
    """One of two files, of which the second has a row that is rejected."""
    assert post(client, upload("jan.csv"), upload("feb.csv", MORE)).status_code == 201
    return Report.objects.get()


def test_it_keeps_each_file_under_a_name_of_its_own(report, left_over):
    assert left_over() == [
        f"reports/{report.pid}",
        f"reports/{report.pid}/input-2.csv",
        f"reports/{report.pid}/input.csv",
    ]
    assert files.path(files.input_name(report.pid, 1)).read_bytes() == MORE
    assert (report.input_name, report.input_bytes) == ("jan.csv", len(PLAYS) + len(MORE))


def test_it_totals_them_together(client, report):
    finished(report)

    output = body(client.get(f"/api/reports/{report.pid}/output"))

    assert output == TOTALS.replace(b"2020-01-01,100", b"2020-01-01,107")


def test_it_tells_which_files_wait(client, report):
    unread = {"rows_read": 0, "rows_rejected": 0, "rows_left_out": 0, "preset": None}
    unread |= {"encoding": None, "delimiter": None, "header_line": None}

    assert client.get(f"/api/reports/{report.pid}").json()["inputs"] == [
        {"name": "jan.csv", "bytes": len(PLAYS), **unread},
        {"name": "feb.csv", "bytes": len(MORE), **unread},
    ]


def test_it_tells_what_was_found_in_each(client, report):
    finished(report)

    told = client.get(f"/api/reports/{report.pid}").json()

    found = [
        (each["name"], each["rows_read"], each["rows_rejected"], each["delimiter"])
        for each in told["inputs"]
    ]
    assert found == [("jan.csv", 3, 0, ","), ("feb.csv", 2, 1, ";")]
    [example] = told["rejects_sample"]["invalid_date"]["examples"]
    assert example == {"file": 1, "line": 3, "record": "2020-01-32;1;Umbrella"}


def test_the_rejects_name_the_file_and_its_line(client, report):
    finished(report)

    rejects = body(client.get(f"/api/reports/{report.pid}/rejects"))

    assert rejects == b"File,Line,Reason,Record\nfeb.csv,3,invalid_date,2020-01-32;1;Umbrella\n"


def test_no_path_of_the_server_is_told(client, settings, report):
    finished(report)

    summary = body(client.get(f"/api/reports/{report.pid}/summary"))

    assert b"feb.csv" in summary and str(settings.BMAT_HOME).encode() not in summary


def test_a_failure_names_the_file_at_fault_where_there_are_others(client, submit):
    post(client, upload("jan.csv"), upload("feb.csv", b"a,b\n"))
    of_two, of_one = finished(Report.objects.get()), finished(submit(b"a,b\n"))

    assert of_two.error_message.startswith("feb.csv: The header has no column")
    assert of_one.error_message.startswith("The header has no column")


@pytest.mark.parametrize(
    "source, names, message",
    [
        ("a.csv", ["a.csv", "b.csv"], "a.csv: It is wrong."),
        ("a.zip/days/1.csv", ["a.zip"], "a.zip/days/1.csv: It is wrong."),
        ("a.csv", ["a.csv"], "It is wrong."),
        ("/srv/bmat/reports/x/input.csv", ["a.csv", "b.csv"], "It is wrong."),
    ],
)
def test_a_failure_names_nothing_but_what_its_owner_knows(source, names, message):
    failure = AggregationError("not_text", "It is wrong.", Path(source))

    assert told(failure, names) == message


def test_names_that_come_again_are_told_apart(client):
    post(client, *[upload("plays.csv"), upload("plays.csv"), upload("plays (2).csv")])

    names = [each["name"] for each in Report.objects.get().inputs]
    assert names == ["plays.csv", "plays (2).csv", "plays (2) (2).csv"]


def test_many_names_that_are_the_same_are_told_apart():
    names = distinct(["a"] * 1000)

    assert names[:3] == ["a", "a (2)", "a (3)"] and len(set(names)) == 1000


def test_it_reads_each_file_in_the_charset_of_its_part(client):
    latin = upload("l1.csv", HEADER + "Été,2020-01-01,1\n".encode("cp1252"), "text/csv; charset=l1")
    plain = upload("utf8.csv", HEADER + "Été,2020-01-01,2\n".encode())

    assert post(client, latin, plain).status_code == 201
    report = finished(Report.objects.get())

    assert "Été,2020-01-01,3\n" in files.path(report.output_file.name or "").read_text("utf-8")
    assert [each["encoding"] for each in report.inputs_read] == ["iso8859-1", "utf-8"]


def test_it_says_which_file_is_empty_and_keeps_none(client, left_over):
    response = post(client, upload("jan.csv"), upload("feb.csv", b""))

    assert response.json() == invalid({"input_file": ["feb.csv: The submitted file is empty."]})
    assert left_over() == []


def test_it_keeps_none_where_one_cannot_be_kept(client, monkeypatch, left_over):
    rename, left = os.rename, [0]

    def fail_the_second_time(source, target):
        left[0] += 1
        if left[0] == 2:
            raise OSError(errno.ENOSPC, "no room")
        rename(source, target)

    monkeypatch.setattr("bmat.api.services.disk.os.rename", fail_the_second_time)

    assert post(client, upload("a"), upload("b"), upload("c")).status_code == 507
    assert left_over() == [] and not Report.objects.exists()


def test_it_syncs_all_of_them_before_it_answers(client, monkeypatch):
    synced = []
    monkeypatch.setattr("bmat.api.services.files.sync", lambda *paths: synced.extend(paths))

    pid = post(client, upload("a"), upload("b")).json()["pid"]

    assert [path.name for path in synced] == ["input.csv", "input-2.csv"]
    assert {path.parent.name for path in synced} == {pid}


def test_it_takes_no_more_files_than_the_setting_says(client, settings, left_over):
    settings.BMAT_MAX_INPUTS = 2

    response = post(client, upload("a"), upload("b"), upload("c"))

    message = "There are more than the 2 files of a report."
    assert (response.status_code, response.json()) == (400, invalid({"input_file": [message]}))
    assert left_over() == []


@pytest.mark.django_db(transaction=True)
def test_a_thousand_files_make_one_report(client, monkeypatch, caplog):
    opened = len(os.listdir("/dev/fd"))
    seen = []
    monkeypatch.setattr(
        "bmat.api.services.files.sync", lambda *_: seen.append(len(os.listdir("/dev/fd")))
    )
    caplog.set_level("INFO")

    response = post(client, *[upload(f"{number}.csv") for number in range(1000)])

    assert response.status_code == 201 and seen[0] < opened + 20
    assert finished(Report.objects.get()).rows_read == 3000
    assert f"received: 0.csv and 999 more, {1000 * len(PLAYS):,} bytes" in caplog.text


def test_all_of_them_together_are_limited(client, settings, left_over):
    settings.BMAT_MAX_UPLOAD_BYTES = 2 * len(PLAYS) - 1

    assert post(client, upload("a"), upload("b")).status_code == 413
    assert left_over() == []


def test_the_sum_of_them_counts_for_the_quota_and_for_the_queue(client, settings, monkeypatch):
    settings.BMAT_MAX_STORED_BYTES = 3 * len(PLAYS) - 1
    settings.BMAT_LARGE_REPORT_BYTES = 2 * len(PLAYS)
    settings.BMAT_REQUIRE_AUTH = True
    sizes = []
    monkeypatch.setattr("bmat.api.services.queue.queue_for", lambda size: sizes.append(size))
    alice = token_of(person("alice"))

    assert post(client, *map(upload, "abc"), headers=alice).status_code == 429
    assert post(client, *map(upload, "ab"), headers=alice).status_code == 201
    assert Report.objects.get().input_bytes == 2 * len(PLAYS)


@pytest.mark.django_db(transaction=True)
def test_a_key_stands_for_all_files_in_their_order(client):
    key = {"Idempotency-Key": "k"}
    one, two = b"a" + PLAYS, b"b" + PLAYS

    def sent(*contents):
        return post(client, *[upload("x", each) for each in contents], headers=key)

    first = sent(one, two)
    assert (sent(one, two).json(), first.status_code) == (first.json(), 201)
    assert [sent(*others).status_code for others in ([two, one], [one], [one, two, two])] == [
        409
    ] * 3


@pytest.mark.django_db(transaction=True)
def test_it_can_be_tried_again(client, report):
    Report.objects.update(status=Report.Status.FAILED, inputs_read=[{"name": "jan.csv"}])

    assert client.post(f"/api/reports/{report.pid}/retry").json()["inputs"][1]["rows_read"] == 0
    assert process_report(report.pid, uuid4()) is None
    assert client.get(f"/api/reports/{report.pid}").json()["inputs"][1]["rows_read"] == 2


@pytest.mark.django_db(transaction=True)
def test_they_are_deleted_together(report, left_over):
    delete_report(report.pid)

    assert left_over() == []
