"""`GET /api/reports/<pid>/summary`."""

import json
from uuid import uuid4

import pytest

from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

BAD = b"A,2020-01-32,1\nB,2020-01-01,x\n"


@pytest.fixture
def report(submit):
    report = submit(PLAYS + BAD)
    process_report(report.pid, uuid4())
    report.refresh_from_db()
    return report


@pytest.fixture
def url(report):
    return f"/api/reports/{report.pid}/summary"


def content(response):
    return json.loads(b"".join(response.streaming_content))


def test_it_tells_what_the_result_comes_to(client, url, report):
    response = client.get(url)

    assert response["Content-Type"] == "application/json"
    assert content(response) == {
        "rows_read": 5,
        "rows_counted": 3,
        "rows_rejected": 2,
        "rows_left_out": 0,
        "groups": 3,
        "plays_total": 800,
        "rejects_by_reason": {"invalid_date": 1, "invalid_plays": 1},
        "left_out_by_reason": {},
        "rejects_sample": {
            "invalid_date": [{"line": 5, "record": "A,2020-01-32,1"}],
            "invalid_plays": [{"line": 6, "record": "B,2020-01-01,x"}],
        },
        "warnings": report.warnings,
        "group_by": ["song"],
        "inputs": [
            {
                "preset": "default",
                "delimiter": ",",
                "encoding": "utf-8",
                "header_line": 1,
                "name": "plays.csv",
                "bytes_read": len(PLAYS) + len(BAD),
                "rows_read": 5,
                "rows_counted": 3,
                "rows_rejected": 2,
                "rows_left_out": 0,
                "plays": 800,
            }
        ],
        "bytes_read": len(PLAYS) + len(BAD),
        "first_day": "2020-01-01",
        "last_day": "2020-01-02",
        "top_songs": [{"song": "In The End", "plays": 500}, {"song": "Umbrella", "plays": 300}],
        "plays_by_day": {"2020-01-01": 600, "2020-01-02": 200},
    }


def test_it_shows_sums_past_64_bits_exactly(client, submit):
    report = submit(b"".join(b"a,2020-01-%02d,9223372036854775807\n" % day for day in range(1, 29)))
    process_report(report.pid, uuid4())

    summary = content(client.get(f"/api/reports/{report.pid}/summary/"))

    assert summary["plays_total"] == summary["top_songs"][0]["plays"] == 28 * (2**63 - 1)


def test_it_has_each_field_of_a_key(client, submit):
    report = submit(b"Artist,Song,Date,Number of Plays\nb,a,2020-01-01,5\n", group_by="artist,song")
    process_report(report.pid, uuid4())

    summary = content(client.get(f"/api/reports/{report.pid}/summary"))

    assert summary["group_by"] == ["artist", "song"]
    assert summary["top_songs"] == [{"artist": "b", "song": "a", "plays": 5}]


def test_it_is_there_for_a_day_without_plays(client, submit):
    report = submit(b"Song,Date,Number of Plays\n")
    process_report(report.pid, uuid4())

    summary = content(client.get(f"/api/reports/{report.pid}/summary"))

    assert (summary["first_day"], summary["last_day"]) == (None, None)
    assert (summary["top_songs"], summary["plays_by_day"]) == ([], {})


def test_it_is_not_sent_again_to_who_has_it(client, url, django_assert_num_queries):
    first = client.get(url)
    first.close()

    with django_assert_num_queries(1):
        again = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]


def test_it_has_another_etag_for_another_result(client, url, submit):
    other = submit()
    process_report(other.pid, uuid4())
    etags = []
    for each in (url, f"/api/reports/{other.pid}/summary"):
        response = client.get(each)
        response.close()
        etags.append(response["ETag"])

    assert len(set(etags)) == 2


@pytest.mark.parametrize(
    "status, code",
    [(0, "report_processing"), (2, "report_failed"), (3, "report_cancelled")],
)
def test_it_is_there_for_reports_that_are_done(client, submit, status, code):
    pid = submit().pid
    Report.objects.update(status=status)

    response = client.get(f"/api/reports/{pid}/summary")

    assert (response.status_code, response.json()["code"]) == (409, code)
    assert response.get("Retry-After") == ("1" if status == 0 else None)


def test_it_is_gone_once_the_files_have_expired(client, url):
    Report.objects.update(expired="2020-01-01T00:00:00Z", output_file="")

    assert client.get(url).status_code == 410


def test_it_says_so_where_the_file_was_never_written(client, url, report):
    files.path(files.beside(report.output_file.name, files.SUMMARY)).unlink()

    response = client.get(url)

    assert (response.status_code, response.json()["code"]) == (409, "no_file")


def test_it_knows_no_unknown_pid(client, db):
    assert client.get(f"/api/reports/{uuid4()}/summary").status_code == 404


def test_it_refuses_another_method(client, url):
    assert client.put(url).status_code == 405
