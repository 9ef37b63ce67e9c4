"""`GET /api/reports/<pid>/output` and `/rejects`."""

from uuid import uuid4

import pytest

from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS, TOTALS
from bmat.api.views.downloads import download_name

pytestmark = pytest.mark.django_db(transaction=True)

REJECTED = b"Umbrella,2020-01-32,1\n"


@pytest.fixture
def done(submit):
    report = submit(PLAYS + REJECTED)
    process_report(report.pid, uuid4())
    return Report.objects.get()


def body(response):
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("tail", ["output", "output/"])
def test_it_downloads_the_totals(client, done, tail):
    response = client.get(f"/api/reports/{done.pid}/{tail}")

    assert body(response) == TOTALS
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="plays-totals.csv"'
    assert response["Content-Length"] == str(len(TOTALS))


@pytest.mark.parametrize("tail", ["rejects", "rejects/"])
def test_it_downloads_the_rejects(client, done, tail):
    response = client.get(f"/api/reports/{done.pid}/{tail}")

    assert body(response).startswith(b"Line,Reason,Record\n5,invalid_date,")
    assert response["Content-Disposition"] == 'attachment; filename="plays-rejects.csv"'


@pytest.mark.parametrize("accept", ["text/csv", "image/png", "*/*"])
def test_it_downloads_whatever_the_client_says_it_accepts(client, done, accept):
    response = client.get(f"/api/reports/{done.pid}/output", headers={"accept": accept})

    assert body(response) == TOTALS


@pytest.mark.parametrize("tail", ["output", "rejects"])
def test_it_is_not_ready_while_the_report_waits(client, submit, tail):
    response = client.get(f"/api/reports/{submit().pid}/{tail}", headers={"accept": "text/csv"})

    assert (response.status_code, response.json()["code"]) == (409, "not_ready")
    assert response["Retry-After"] == "1"


def test_it_has_no_rejects_where_all_rows_were_counted(client, submit, left_over):
    pid = submit().pid
    process_report(pid, uuid4())

    assert client.get(f"/api/reports/{pid}").json()["rejects_file"] is None
    response = client.get(f"/api/reports/{pid}/rejects")
    message = "The report is done: it has no such file."
    assert (response.status_code, response.json()) == (
        409,
        {"detail": message, "code": "no_file"},
    )
    assert not any(path.endswith("rejects.csv") for path in left_over())


def test_it_is_not_found_where_the_file_has_been_removed(client, done):
    files.path(done.output_file.name).unlink()

    assert client.get(f"/api/reports/{done.pid}/output").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_refuses_another_method(client, done, method):
    response = getattr(client, method)(f"/api/reports/{done.pid}/output")

    assert response.status_code == 405
    assert response.json()["detail"] == f'Method "{method.upper()}" not allowed.'


@pytest.mark.parametrize(
    "input_name, expected",
    [
        ("plays.csv", "plays-totals.csv"),
        ("plays.2020.csv", "plays.2020-totals.csv"),
        ("../../etc/passwd", "passwd-totals.csv"),
        ("🎵.csv", "🎵-totals.csv"),
        (".csv", "csv-totals.csv"),
        ("..", "report-totals.csv"),
        ("", "report-totals.csv"),
    ],
)
def test_it_names_a_download_after_the_upload(input_name, expected):
    assert download_name(input_name, "totals") == expected


def test_it_lets_no_name_break_out_of_the_header(client, done):
    Report.objects.update(input_name='a"; x=\r\nSet-Cookie: b.csv')

    response = client.get(f"/api/reports/{done.pid}/output")
    response.close()

    assert "Set-Cookie" not in response
    assert "\n" not in response["Content-Disposition"]
