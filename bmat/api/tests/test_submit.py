"""`POST /api/reports/`."""

import unicodedata
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmat.aggregation.options import OPTION_NAMES
from bmat.api.errors import invalid
from bmat.api.models import Report
from bmat.api.tests.fixtures import PLAYS
from bmat.api.uploads import NO_FILENAME

GOOD = {
    "preset": "default",
    "song_column": "Titel",
    "artist_column": "Künstler",
    "isrc_column": "Code",
    "territory_column": "Land",
    "service_column": "Dienst",
    "date_column": "Tag",
    "plays_column": "Anzahl",
    "group_by": "artist,song",
    "delimiter": "tab",
    "encoding": "cp1252",
    "date_format": "dmy",
    "thousands": "space",
    "quoting": "none",
    "header_line": "3",
    "plays": "column",
    "sheet": "Plays",
    "strict": "true",
}

pytestmark = pytest.mark.django_db


def upload(name="plays.csv", content=PLAYS):
    return SimpleUploadedFile(name, content)


def test_it_creates_a_report(client):
    response = client.post("/api/reports/", {"input_file": upload()})

    report = Report.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"http://testserver/api/reports/{report.pid}"
    assert response.json()["pid"] == str(report.pid)
    assert response.json()["status"] == 0
    assert response["Retry-After"] == "1"


def test_it_answers_without_the_last_slash(client):
    assert client.post("/api/reports", {"input_file": upload()}).status_code == 201


def test_it_keeps_the_bytes_and_the_name(client, left_over):
    client.post("/api/reports/", {"input_file": upload("Été 2020.csv")})

    report = Report.objects.get()
    assert report.input_name == "Été 2020.csv"
    assert report.input_file.name == f"{report.pid}/input.csv"
    assert report.input_file.open().read() == PLAYS
    report.input_file.close()
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_saves_the_upload_by_renaming_it(client, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the upload was copied")

    monkeypatch.setattr("django.core.files.move.copystat", refuse)
    monkeypatch.setattr("django.core.files.base.File.chunks", refuse)

    assert client.post("/api/reports/", {"input_file": upload()}).status_code == 201


def test_it_keeps_the_options_that_are_given(client):
    options = {"song_column": "Titel", "delimiter": ";", "encoding": "cp1252", "strict": "true"}

    client.post("/api/reports/", {"input_file": upload(), "date_column": "", **options})

    assert Report.objects.get().options == {**options, "strict": True}


@pytest.mark.parametrize("delimiter", ["\t", "tab", "\\t"])
def test_it_accepts_a_tab_as_delimiter(client, delimiter):
    client.post("/api/reports/", {"input_file": upload(), "delimiter": delimiter})

    assert Report.objects.get().options == {"delimiter": delimiter}


def test_it_takes_every_option(client):
    options = {name: GOOD[name] for name in OPTION_NAMES}

    response = client.post("/api/reports/", {"input_file": upload(), **options})

    assert response.status_code == 201, response.json()
    assert Report.objects.get().options == {**options, "header_line": 3, "strict": True}
    assert response.json()["group_by"] == ["artist", "song"]


def test_a_blank_option_is_one_that_is_not_given(client):
    blank = dict.fromkeys([name for name in OPTION_NAMES if name != "strict"], "")

    assert client.post("/api/reports/", {"input_file": upload(), **blank}).status_code == 201
    assert Report.objects.get().options == {}


@pytest.mark.parametrize(
    "name, value",
    [
        ("preset", "winamp"),
        ("group_by", "label"),
        ("group_by", "song,song"),
        ("group_by", "song,"),
        ("date_format", "american"),
        ("thousands", ";"),
        ("quoting", "all"),
        ("plays", "two"),
        ("header_line", "x"),
        ("header_line", "0"),
        ("header_line", "-1"),
        ("header_line", "1.5"),
        ("strict", "perhaps"),
        ("artist_column", "_"),
        ("isrc_column", "\u200b"),
        ("service_column", "x" * 201),
        ("deliminator", ";"),
    ],
)
def test_it_names_an_option_that_cannot_be_followed(client, left_over, name, value):
    response = client.post("/api/reports/", {"input_file": upload(), name: value})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [name]
    assert left_over() == []


def test_it_names_an_option_that_another_one_forbids(client):
    options = {"group_by": "artist,song", "artist_column": "song"}

    response = client.post("/api/reports/", {"input_file": upload(), **options})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["artist_column"]


def test_it_sends_the_task_after_the_commit(client, enqueued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        pid = client.post("/api/reports/", {"input_file": upload()}).json()["pid"]
        assert enqueued() == []

    assert enqueued() == [pid]


def test_it_refuses_a_request_without_a_file(client):
    response = client.post("/api/reports/", {"strict": "true"})

    assert response.status_code == 400
    assert response.json() == invalid({"input_file": ["No file was submitted."]})


def test_it_refuses_an_empty_file(client, left_over):
    response = client.post("/api/reports/", {"input_file": upload(content=b"")})

    assert response.status_code == 400
    assert response.json() == invalid({"input_file": ["The submitted file is empty."]})
    assert left_over() == []


@pytest.mark.parametrize("delimiter", [",,", '"', "\n", "\r", "é"])
def test_it_refuses_a_delimiter_that_cannot_separate_fields(client, delimiter):
    response = client.post("/api/reports/", {"input_file": upload(), "delimiter": delimiter})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["delimiter"]
    assert "one ASCII character" in response.json()["delimiter"][0]


@pytest.mark.parametrize("encoding", ["klingon", "zip", "x" * 500])
def test_it_refuses_an_unknown_encoding(client, encoding):
    response = client.post("/api/reports/", {"input_file": upload(), "encoding": encoding})

    assert response.status_code == 400
    assert response.json()["encoding"][0].startswith("There is no text encoding")


def test_it_refuses_two_columns_of_the_same_name(client):
    columns = {"song_column": "Day", "date_column": "day"}

    response = client.post("/api/reports/", {"input_file": upload(), **columns})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["date_column"]


def test_it_names_everything_that_is_wrong_at_once(client):
    response = client.post("/api/reports/", {"encoding": "klingon", "strict": "perhaps"})

    assert response.status_code == 400
    assert sorted(response.json()["fields"]) == ["encoding", "input_file", "strict"]
    assert Report.objects.count() == 0


def test_it_refuses_another_content_type(client):
    response = client.post("/api/reports/", {"input_file": "x"}, content_type="application/json")

    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_media_type"


NAMES = [
    "../../etc/passwd",
    "..",
    "a" * 300 + ".csv",
    "a." + "b" * 300,
    "🎵.csv",
    "con",
    "-rf",
    "a\x00b.csv",
    "<b>.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_it_lets_no_file_name_reach_a_path(client, home, name):
    response = post_raw(client, name)

    paths = {path.name for path in home.rglob("*")}
    if response.status_code == 201:
        assert paths == {"reports", "uploads", response.json()["pid"], "input.csv"}
    else:
        assert response.json() == invalid({"input_file": [NO_FILENAME]})
        assert paths == {"reports", "uploads"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(max_size=400))
def test_it_survives_any_file_name(client, home, name):
    response = post_raw(client, name)

    assert response.status_code in (201, 400)
    for path in home.rglob("*"):
        assert path.name in ("reports", "uploads", "input.csv") or UUID(path.name)


def post_raw(client, name):
    """Posts a body written by hand: a client library would clean the name."""
    shown = "".join(c for c in name if unicodedata.category(c) != "Cs").replace('"', "%22")
    head = f'--x\r\nContent-Disposition: form-data; name="input_file"; filename="{shown}"\r\n\r\n'
    body = head.encode() + PLAYS + b"\r\n--x--\r\n"
    return client.generic("POST", "/api/reports/", body, "multipart/form-data; boundary=x")
