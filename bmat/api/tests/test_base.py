"""`POST /api/reports/` with a `base`: new files on top of a finished report."""

import os
import shutil
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError

from bmat.api.errors import invalid
from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.disk import DiskFull
from bmat.api.services.reports import Submission, delete_report, submit_report
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.fixtures import PLAYS, received
from bmat.api.tests.people import person, token_of
from bmat.api.tests.results import body, finished

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = b"Titel,Date,Number of Plays\nUmbrella,2020-01-01,7\nUmbrella,2020-03-01,x\n"
TOGETHER = (
    b"Song,Date,Total Number of Plays for Date\n"
    b"In The End,2020-01-01,500\n"
    b"Umbrella,2020-01-01,107\n"
    b"Umbrella,2020-01-02,200\n"
)
BY_ARTIST = b"Artist,Song,Date,Number of Plays\nx,a,2020-01-01,1\n"


def post(client, base, content=MARCH, headers=None, **options):
    upload = SimpleUploadedFile("march.csv", content)
    options = {"song_column": "Titel", **options} if content is MARCH else options
    sent = {"input_file": upload, "base": str(base), **options}
    return client.post("/api/reports/", sent, headers=headers or {})


def refused(response, **fields):
    assert response.status_code == 400
    assert response.json() == invalid({name: [text] for name, text in fields.items()})


def made(response):
    assert response.status_code == 201, response.json()
    return Report.objects.get(pid=response.json()["pid"])


def test_the_files_come_on_top_of_its_totals(client, done):
    report = finished(made(post(client, done.pid)))

    assert body(client.get(f"/api/reports/{report.pid}/output")) == TOGETHER


def test_it_shows_its_base_and_the_totals_as_an_input(client, done):
    report = finished(made(post(client, done.pid)))

    told = client.get(f"/api/reports/{report.pid}").json()

    assert (told["base"], told["preset"]) == (str(done.pid), "default")
    march, totals = told["inputs"]
    assert (march["name"], march["rows_read"], march["rows_rejected"]) == ("march.csv", 2, 1)
    assert (totals["name"], totals["rows_read"], totals["preset"]) == (
        "plays.csv (totals)",
        3,
        "totals",
    )
    assert totals["bytes"] == files.path(done.output_file.name).stat().st_size
    assert report.input_bytes == len(MARCH) + totals["bytes"]


def test_the_rejects_are_those_of_the_new_files(client, done):
    report = finished(made(post(client, done.pid)))

    rejects = body(client.get(f"/api/reports/{report.pid}/rejects"))

    assert rejects.splitlines()[1:] == [b'march.csv,3,invalid_plays,"Umbrella,2020-03-01,x"']


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_does_not_matter_what_becomes_of_the_base(client, done, when):
    report = made(post(client, done.pid))
    if when == "after":
        finished(report)
    delete_report(done.pid)

    report = finished(report)

    assert body(client.get(f"/api/reports/{report.pid}/output")) == TOGETHER
    assert client.get(f"/api/reports/{report.pid}").json()["base"] == str(done.pid)


def test_it_takes_no_more_room_where_there_are_hard_links(client, done):
    report = made(post(client, done.pid))

    output = files.path(done.output_file.name)
    assert files.path(files.input_name(report.pid, 1)).samefile(output)


def test_it_copies_the_totals_where_there_are_none(client, done, monkeypatch):
    def refuse(*_):
        raise PermissionError("this filesystem knows no hard links")

    monkeypatch.setattr("bmat.api.services.files.os.link", refuse)

    report = finished(made(post(client, done.pid)))

    assert body(client.get(f"/api/reports/{report.pid}/output")) == TOGETHER


def test_a_month_may_come_on_top_of_a_month(client, done):
    first = finished(made(post(client, done.pid)))
    second = finished(made(post(client, first.pid)))

    assert second.plays_total == first.plays_total + 7
    assert [each["name"] for each in second.inputs] == ["march.csv", "march.csv (totals)"]


def test_it_takes_over_what_the_totals_are_by(client, submit):
    base = finished(submit(BY_ARTIST, group_by="artist,song"))

    taken_over = made(post(client, base.pid, BY_ARTIST))
    given = made(post(client, base.pid, BY_ARTIST, group_by="artist, song"))

    assert taken_over.group_by == given.group_by == ["artist", "song"]
    assert finished(taken_over).plays_total == 2


def test_it_refuses_to_be_by_something_else(client, submit, left_over):
    base = finished(submit(BY_ARTIST, group_by="artist,song"))

    response = post(client, base.pid, BY_ARTIST, group_by="song")

    message = "The totals of the report base are by artist,song: leave this out."
    refused(response, group_by=message)


def test_it_wants_files(client, done):
    response = client.post("/api/reports/", {"base": str(done.pid)})

    refused(response, input_file="No file was submitted.")


def test_a_blank_base_is_none(client):
    assert made(post(client, "")).base is None


def test_it_refuses_what_is_no_pid(client):
    refused(post(client, "x"), base="Must be a valid UUID.")


def test_it_refuses_a_report_that_is_not_there(client):
    refused(post(client, uuid4()), base="There is no such report.")


def test_it_refuses_the_report_of_somebody_else(client, submit, settings):
    settings.BMAT_REQUIRE_AUTH = True
    hers = finished(submit(owner=person("alice")))

    his = post(client, hers.pid, headers=token_of(person("bob")))

    refused(his, base="There is no such report.")
    assert made(post(client, hers.pid, headers=token_of(person("alice")))).base == hers.pid


@pytest.mark.parametrize("content, state", [(PLAYS, "processing"), (b"a,b\n", "failed")])
def test_it_refuses_a_report_without_totals(client, submit, content, state):
    report = submit(content)
    if state == "failed":
        finished(report)

    refused(post(client, report.pid), base=f"The report is {state}: it has no totals.")


def test_it_refuses_a_report_whose_files_were_removed(client, done):
    Report.objects.update(finished="2020-01-01T00:00:00Z")
    sweep_files()

    refused(post(client, done.pid), base="The files of that report were removed.")


def test_it_refuses_a_report_whose_files_go_before_they_are_looked_at(client, done, left_over):
    shutil.rmtree(files.report_folder(done.pid))

    refused(post(client, done.pid), base="The files of that report were removed.")
    assert left_over() == []


def test_it_refuses_a_report_whose_files_go_meanwhile(client, done, monkeypatch, left_over):
    totals_of = files.totals_of

    def removed_after_that(base):
        found = totals_of(base)
        shutil.rmtree(files.report_folder(base.pid))
        return found

    monkeypatch.setattr(files, "totals_of", removed_after_that)

    refused(post(client, done.pid), base="The files of that report were removed.")
    assert left_over() == [] and Report.objects.count() == 1


def test_the_totals_are_one_of_the_inputs_that_are_allowed(client, done, settings):
    settings.BMAT_MAX_INPUTS = 1

    message = "With the totals there are more than the 1 inputs of a report."
    refused(post(client, done.pid), input_file=message)


def test_it_wants_room_for_a_result_as_large_as_the_totals(done, settings, monkeypatch):
    usage = type("Usage", (), {"free": settings.BMAT_MIN_FREE_BYTES + 50})
    monkeypatch.setattr("bmat.api.services.disk.shutil.disk_usage", lambda folder: usage)

    with pytest.raises(DiskFull):
        Submission([received()]).on_top_of(done)


def test_a_key_stands_for_the_base_too(client, done, submit):
    other = finished(submit())
    key = {"Idempotency-Key": "k"}

    first = post(client, done.pid, headers=key)

    assert post(client, done.pid, headers=key).json() == first.json()
    assert post(client, other.pid, headers=key).status_code == 409
    assert Report.objects.count() == 3


def test_a_strict_report_is_strict_about_the_new_files_alone(client, done):
    report = finished(made(post(client, done.pid, strict="true")))

    assert report.error_code == "strict_violation"
    assert report.error_message.startswith("march.csv: Line 3 cannot be counted")


def test_the_link_is_removed_with_a_submission_that_fails(done, monkeypatch, left_over):
    def fail(*_, **__):
        raise DatabaseError("no room for the row")

    monkeypatch.setattr("bmat.api.services.reports.Report.objects.create", fail)
    before = left_over()

    with pytest.raises(DatabaseError):
        submit_report(Submission([received()]).on_top_of(done))

    assert left_over() == before
    assert os.stat(files.path(done.output_file.name)).st_nlink == 1
