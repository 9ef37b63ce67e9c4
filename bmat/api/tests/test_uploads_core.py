"""tus 1.0.0: how uploads begin, go on, and become reports."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bmat.api.models import Report, Upload
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS, TOTALS
from bmat.api.tests.results import body
from bmat.api.tests.tus import UPLOADS, Sender, metadata

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tus(client):
    return Sender(client)


def test_options_tells_what_the_server_can_do(client, settings):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000

    answer = client.options(UPLOADS)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert answer["Tus-Max-Size"] == "1000"
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256,md5"
    assert answer["Tus-Extension"] == (
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
        "concatenation"
    )


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
def test_it_speaks_one_version(client, tus, version):
    url = tus.created(10)
    headers = {} if version is None else {"Tus-Resumable": version}

    for method, path in [("POST", UPLOADS), ("HEAD", url), ("PATCH", url), ("DELETE", url)]:
        answer = client.generic(method, path, headers=headers)
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")

    assert tus.head(url)["Upload-Offset"] == "0"


def test_it_creates_an_upload(tus, home):
    answer = tus.create(10, filename="plays.csv")

    upload = Upload.objects.get()
    assert (answer.status_code, answer["Tus-Resumable"]) == (201, "1.0.0")
    assert answer["Location"] == f"http://testserver/api/uploads/{upload.pk}"
    assert (answer["Upload-Offset"], "Upload-Expires" in answer) == ("0", True)
    assert (home / "uploads" / str(upload.pk)).stat().st_size == 10


def test_head_tells_where_it_stands(tus):
    url = tus.created(100, filename="plays.csv", preset="default")
    tus.patch(url, 0, b"x" * 40)

    answer = tus.head(url)

    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Upload-Offset"], answer["Upload-Length"]) == ("40", "100")
    assert answer["Upload-Metadata"] == metadata(filename="plays.csv", preset="default")
    assert answer["Cache-Control"] == "no-store"
    assert "Bmat-Report" not in answer


def test_its_last_byte_makes_the_report(tus, enqueued, left_over):
    url = tus.created(len(PLAYS), filename="plays.csv")

    assert tus.patch(url, 0, PLAYS[:10])["Upload-Offset"] == "10"
    answer = tus.patch(url, 10, PLAYS[10:])

    report = Report.objects.get()
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(PLAYS)))
    assert answer["Bmat-Report"] == str(report.pid)
    assert answer["Bmat-Report-Location"] == f"http://testserver/api/reports/{report.pid}"
    assert (report.input_name, report.input_bytes) == ("plays.csv", len(PLAYS))
    assert Path(report.input_file.path).read_bytes() == PLAYS
    assert enqueued() == [str(report.pid)]
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_head_tells_the_report_ever_after(tus):
    url = tus.whole(PLAYS)

    answers = [tus.head(url) for _ in range(2)]

    pid = Report.objects.get().pid
    assert {answer["Bmat-Report"] for answer in answers} == {str(pid)}
    assert {"Upload-Expires" in answer for answer in answers} == {False}


def test_the_last_request_can_be_repeated(tus):
    url = tus.whole(PLAYS)

    assert tus.patch(url, len(PLAYS), b"")["Bmat-Report"] == str(Report.objects.get().pid)
    assert tus.patch(url, 0, PLAYS).status_code == 409


def test_the_report_has_the_options_of_the_metadata(tus, client):
    content = b"Track;Day;Plays\nUmbrella;2020-01-02;200\n"
    options = {"song_column": "Track", "date_column": "Day", "plays_column": "Plays"}
    tus.whole(content, name="plays.csv", filetype="text/csv", strict="yes", preset="", **options)

    report = Report.objects.get()
    assert (report.options, report.input_name) == ({**options, "strict": True}, "plays.csv")
    assert process_report(report.pid, uuid4()) is None


def test_the_report_is_that_of_the_bytes(tus, client):
    url = tus.whole(PLAYS)
    pid = UUID(tus.head(url)["Bmat-Report"])
    process_report(pid, uuid4())

    assert body(client.get(f"/api/reports/{pid}/output")) == TOTALS


@pytest.mark.parametrize("offset", ["0", "3", "11"])
def test_bytes_that_belong_elsewhere_are_refused_with_the_true_offset(tus, offset):
    url = tus.created(10)
    tus.patch(url, 0, b"12345")

    answer = tus.patch(url, int(offset), b"67890")

    assert (answer.status_code, answer.json()["code"]) == (409, "upload_offset_mismatch")
    assert answer["Upload-Offset"] == tus.head(url)["Upload-Offset"] == "5"


@pytest.mark.parametrize("offset", [None, "", "-1", "x", "1.5", "9" * 20])
def test_an_offset_is_a_number(tus, offset):
    url = tus.created(10)
    headers = {} if offset is None else {"Upload_Offset": offset}

    answer = tus.send("PATCH", url, b"12345", **headers)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Upload-Offset"])


@pytest.mark.parametrize("content_type", ["", "text/csv", "multipart/form-data; boundary=x"])
def test_bytes_are_sent_as_bytes(tus, content_type):
    url = tus.created(10)

    for method, path in (("PATCH", url), ("POST", UPLOADS)):
        headers = {"Content-Type": content_type, "Upload-Offset": "0", "Upload-Length": "5"}
        assert tus.send(method, path, b"12345", **headers).status_code == 415

    assert tus.head(url)["Upload-Offset"] == "0"
    assert Upload.objects.count() == 1


def test_more_bytes_than_were_announced_are_refused(tus):
    url = tus.created(10)

    answer = tus.patch(url, 0, b"x" * 11)

    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert tus.head(url)["Upload-Offset"] == "0"


@pytest.mark.parametrize("upload", [str(uuid4()), "x", "00000000-0000-0000-0000-00000000000g"])
def test_there_is_no_other_upload(tus, upload):
    for method in ("HEAD", "PATCH", "DELETE"):
        answer = tus.send(
            method,
            f"{UPLOADS}{upload}",
            Content_Type="application/offset+octet-stream",
            Upload_Offset="0",
        )
        assert answer.status_code == 404


def test_a_post_may_stand_for_another_method(tus):
    url = tus.created(len(PLAYS), report="no")

    patched = tus.send("POST", url, PLAYS, Upload_Offset="0", X_HTTP_Method_Override="PATCH")
    headed = tus.send("POST", url, X_HTTP_Method_Override="HEAD")
    deleted = tus.send("POST", url, X_HTTP_Method_Override="delete")

    assert (patched.status_code, headed.status_code, deleted.status_code) == (204, 200, 204)
    assert headed["Upload-Offset"] == str(len(PLAYS))
    assert tus.head(url).status_code == 410


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_no_other_method_stands_for_one(tus, method):
    url = tus.created(10)

    answer = tus.send(method, url, X_HTTP_Method_Override="DELETE" if method == "GET" else "PUT")

    assert answer.status_code == 405
    assert tus.head(url).status_code == 200


def test_it_needs_no_slash_and_takes_one(tus):
    url = tus.created(10)

    assert tus.head(f"{url}/").status_code == 200
    assert tus.send("POST", "/api/uploads", Upload_Length="5").status_code == 201
