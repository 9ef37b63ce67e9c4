"""Whatever is uploaded, the answer says what is wrong, and the service goes on."""

from collections.abc import Iterator

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import FAILED, Client
from bmat.tests.live.stack import Stack

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
HEADER = b"Song,Date,Number of Plays\n"


@pytest.fixture(autouse=True)
def _the_service_goes_on(client: Client) -> Iterator[None]:
    """After each of these tests, the next user's report is as right as ever."""
    yield
    assert client.totals(samples.PLAYS) == samples.PLAYS_TOTALS


def test_it_asks_for_the_file_where_there_is_none(client: Client) -> None:
    answer = requests.post(client.reports_url, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"input_file": ["No file was submitted."]}


def test_it_refuses_an_empty_file(client: Client) -> None:
    answer = client.post(b"")
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"input_file": ["The submitted file is empty."]}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\n\n\n", "empty_file"),
        (PNG, "not_text"),
        (b"Artist,Day,Count\nRihanna,2020-01-01,5\n", "missing_column"),
        (b"Song,Song,Date,Number of Plays\na,b,2020-01-01,5\n", "duplicate_column"),
        (HEADER + b"Umbrella,yesterday,5\nUmbrella,2020-01-01,many\n", "no_valid_rows"),
        (HEADER + b"a,2020-01-01,9223372036854775807\na,2020-01-01,1\n", "plays_overflow"),
        (b"x" * 20_000_000, "not_text"),
        (HEADER + b"x" * 20_000_000, "no_valid_rows"),
    ],
    ids=[
        "only empty lines",
        "a picture",
        "a wrong header",
        "a column twice",
        "every row bad",
        "a total past 64 bits",
        "one line of 20 MB",
        "a header and one line of 20 MB",
    ],
)
def test_it_says_what_is_wrong_with_the_file(
    stack: Stack, client: Client, content: bytes, code: str
) -> None:
    pid = client.upload(content)
    body = client.finished(pid)
    assert (body["status"], body["error"]["code"]) == (FAILED, code)
    assert body["output_file"] is None
    assert 0 < len(body["error"]["message"]) < 2000
    assert [path.name for path in stack.files_of(pid) if "output" in path.name] == []


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "..\\..\\windows.csv",
        "a" * 300 + ".csv",
        "🎵 плеи.csv",
        "; rm -rf ~ #.csv",
        "<b>.csv",
    ],
)
def test_it_takes_any_file_name_and_makes_no_path_of_it(
    stack: Stack, client: Client, name: str
) -> None:
    pid = client.upload(samples.PLAYS, name)
    assert client.download(client.done(pid)) == samples.PLAYS_TOTALS
    assert all(path.is_relative_to(stack.home) for path in stack.files_of(pid))
    assert list(stack.home.rglob("*passwd*")) == []


def test_it_refuses_an_option_that_it_does_not_know_how_to_follow(client: Client) -> None:
    answer = client.post(samples.PLAYS, encoding="klingon")
    assert answer.status_code == 400
    assert "encoding" in answer.json()
