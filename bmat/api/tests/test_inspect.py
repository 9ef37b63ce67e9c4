"""`POST /api/inspect`."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat.api.errors import invalid, told_as
from bmat.api.tests.fixtures import PLAYS
from bmat.api.uploads import HEAD_BYTES

pytestmark = pytest.mark.django_db

NOTHING: dict[str, object] = {
    "encoding": None,
    "delimiter": None,
    "line_end": None,
    "header_line": None,
    "preset": None,
    "columns": [],
    "records": [],
    "is_cut": False,
}


@pytest.fixture
def inspect(client):
    """Sends the beginning of a file, with options."""

    def sent(content=PLAYS, tail="", **options):
        file = SimpleUploadedFile("plays.csv", content)
        return client.post(f"/api/inspect{tail}", {"input_file": file, **options})

    return sent


@pytest.mark.parametrize("tail", ["", "/"])
def test_it_shows_how_a_file_would_be_read(inspect, tail):
    response = inspect(b"Song;Price;Date;Number of Plays\nA;1;2020-01-01;5\nB;1;never;6\n", tail)

    shown = response.json()
    assert (response.status_code, shown["error"], shown["is_cut"]) == (200, None, False)
    assert (shown["delimiter"], shown["header_line"], shown["preset"]) == (";", 1, "default")
    assert shown["columns"] == [
        {"name": "Song", "role": "song"},
        {"name": "Price", "role": None},
        {"name": "Date", "role": "date"},
        {"name": "Number of Plays", "role": "plays"},
    ]
    good, bad = shown["records"]
    assert good == {
        "line": 2,
        "fields": ["A", "1", "2020-01-01", "5"],
        "key": {"song": "A"},
        "date": "2020-01-01",
        "plays": 5,
        "reason": None,
    }
    assert (bad["line"], bad["fields"], bad["reason"]) == (
        3,
        ["B", "1", "never", "6"],
        "invalid_date",
    )


def test_it_follows_the_options(inspect):
    shown = inspect(
        b"a title\nArtist|Titel|Date|Number of Plays\nx|y|2020-01-01|5\n",
        header_line="2",
        delimiter="|",
        group_by="artist,song",
        song_column="Titel",
    ).json()

    assert (shown["error"], shown["header_line"]) == (None, 2)
    assert shown["records"][0]["key"] == {"artist": "x", "song": "y"}


@pytest.mark.parametrize(
    "content, code",
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "not_text"),
        (b"\xef\xbb\xbf\n", "empty_file"),
    ],
)
def test_it_shows_why_a_file_cannot_be_read(inspect, content, code):
    response = inspect(content)

    shown = response.json()
    assert (response.status_code, shown.pop("error")["code"]) == (200, code)
    assert shown == NOTHING


def test_it_shows_the_columns_of_a_file_in_which_it_misses_some(inspect):
    shown = inspect(b"a;Date\nx;y\n").json()

    assert shown["error"]["code"] == "missing_column"
    assert shown["columns"] == [{"name": "a", "role": None}, {"name": "Date", "role": "date"}]
    assert shown["records"][0] == {
        "line": 2,
        "fields": ["x", "y"],
        "key": None,
        "date": None,
        "plays": None,
        "reason": None,
    }


@pytest.mark.parametrize(
    "name, value", [("group_by", "label"), ("header_line", "0"), ("preset", "x"), ("colour", "red")]
)
def test_it_names_an_option_that_cannot_be_followed(inspect, name, value):
    response = inspect(**{name: value})

    assert (response.status_code, list(response.json()["fields"])) == (400, [name])


def test_it_wants_a_file(client):
    response = client.post("/api/inspect", {"delimiter": ";"})

    assert (response.status_code, response.json()) == (
        400,
        invalid({"input_file": ["No file was submitted."]}),
    )


def test_it_keeps_nothing(inspect, left_over):
    assert inspect(PLAYS * 5000).status_code == 200

    assert left_over() == []


def test_it_takes_a_mebibyte_and_no_more(inspect, left_over):
    lines = b"Song,Date,Number of Plays\n" + b"A,2020-01-01,1\n" * (HEAD_BYTES // 15)
    assert inspect(lines[:HEAD_BYTES]).status_code == 200

    response = inspect(lines.ljust(HEAD_BYTES + 1))

    message = f"The upload is larger than the {HEAD_BYTES} bytes that are accepted here."
    assert response.status_code == 413
    assert response.json() == told_as("upload_too_large", message)
    assert left_over() == []


def test_it_reads_nothing_of_a_request_that_says_it_is_too_large(inspect, monkeypatch):
    def refuse(*_):
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)

    assert inspect(b"x" * (3 * HEAD_BYTES)).status_code == 413


def test_it_counts_among_the_requests_of_whoever_sends_it(inspect, settings):
    settings.BMAT_REQUEST_RATE = (1, 60)

    assert [inspect().status_code, inspect().status_code] == [200, 429]


def test_it_refuses_another_method(client):
    assert client.get("/api/inspect").status_code == 405
