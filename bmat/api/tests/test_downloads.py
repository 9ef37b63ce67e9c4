"""`GET /api/reports/<pid>/output` and `/rejects`."""

from pathlib import Path

import pytest

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.services import files, leases
from bmat.api.tests.fixtures import TOTALS
from bmat.api.tests.results import body, finished

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("tail", ["output", "output/"])
def test_it_downloads_the_totals(download, tail):
    response = download(tail)

    assert body(response) == TOTALS
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="plays-totals.csv"'
    assert response["Content-Length"] == str(len(TOTALS))
    assert response["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("tail", ["rejects", "rejects/"])
def test_it_downloads_the_rejects(download, tail):
    response = download(tail)

    assert body(response).startswith(b"Line,Reason,Record\n5,invalid_date,")
    assert response["Content-Disposition"] == 'attachment; filename="plays-rejects.csv"'


@pytest.mark.parametrize("query", ["", "?excel_safe=1"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_it_tells_everything_but_the_bytes_to_head(download, query, coding):
    asked = {"tail": f"output{query}", "accept-encoding": coding}
    whole, head = download(**asked), download(method="head", **asked)

    assert dict(head.items()) == dict(whole.items())
    assert (head.status_code, head.getvalue()) == (200, b"")
    whole.close()


def test_it_lets_nobody_else_keep_what_it_sends(download):
    response = download(method="head")

    assert response["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Accept-Encoding"} <= set(response["Vary"].split(", "))


@pytest.mark.parametrize("tail", ["output", "rejects"])
def test_it_is_not_ready_while_the_report_waits(client, submit, tail):
    response = client.get(f"/api/reports/{submit().pid}/{tail}", headers={"accept": "text/csv"})

    assert (response.status_code, response.json()["code"]) == (409, "report_processing")
    assert response["Retry-After"] == "1"


@pytest.mark.parametrize("tail", ["output", "rejects"])
def test_it_has_no_files_where_the_report_has_failed(client, submit, tail):
    report = finished(submit(b""))

    response = client.get(f"/api/reports/{report.pid}/{tail}")

    assert (response.status_code, response.json()["code"]) == (409, "report_failed")


def test_it_has_no_rejects_where_all_rows_were_counted(client, submit, left_over):
    pid = finished(submit()).pid

    assert client.get(f"/api/reports/{pid}").json()["rejects_file"] is None
    response = client.get(f"/api/reports/{pid}/rejects")
    told = told_as("no_file", "The report is done: it has no such file.")
    assert (response.status_code, response.json()) == (409, told)
    assert not any(path.endswith("rejects.csv") for path in left_over())


@pytest.mark.parametrize("tail", ["output", "output?format=jsonl", "rejects"])
def test_it_says_so_where_the_file_has_been_removed(download, done, tail):
    files.remove(files.report_folder(done.pid))

    response = download(tail)

    assert (response.status_code, response.json()["code"]) == (409, "no_file")
    assert response.json()["detail"].startswith("This result has no such file")


@pytest.mark.parametrize("tail", ["output", "output?format=parquet", "rejects"])
def test_it_is_gone_once_it_has_expired(download, done, tail):
    Report.objects.update(finished="2020-01-01T00:00:00Z")
    leases.expire(done.pid)

    assert download(tail).status_code == 410


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_refuses_another_method(download, method):
    response = download(method=method)

    assert response.status_code == 405
    assert response.json()["detail"] == f'Method "{method.upper()}" not allowed.'


def test_it_lets_no_name_break_out_of_the_header(download):
    Report.objects.update(input_name='a"; x=\r\nSet-Cookie: b.csv')

    response = download(method="head")

    assert "Set-Cookie" not in response
    assert response["Content-Disposition"] == (
        'attachment; filename="a_; x=Set-Cookie_ b-totals.csv"'
    )


def test_it_writes_a_name_that_is_not_ascii_as_rfc_5987_says(download):
    Report.objects.update(input_name="Lieder für Ä.csv")

    assert download(method="head")["Content-Disposition"] == (
        "attachment; filename*=utf-8''Lieder%20f%C3%BCr%20%C3%84-totals.csv"
    )


def test_it_sends_a_file_that_is_removed_meanwhile_to_its_end(download, done):
    response = download()
    files.remove(files.report_folder(done.pid))

    assert body(response) == TOTALS


def test_it_closes_the_file_of_a_client_that_goes_away(download, done):
    output = files.path(done.output_file.name)
    response = download()
    assert is_open(output)

    response.close()

    assert not is_open(output)


def is_open(path):
    """Whether this process has the file open."""
    return path in [link.resolve() for link in Path("/proc/self/fd").iterdir()]
