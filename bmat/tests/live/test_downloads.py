"""Downloads that break off and go on, of every format, by clients who know what they have."""

import filecmp
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import ANSWER_SECONDS, Client
from bmat.tests.live.downloading import LargeResult, interrupted, resumed, size
from bmat.tests.live.processes import wait_until
from bmat.tests.live.sessions import peak_bytes, peak_bytes_from_now, who_has_open
from bmat.tests.live.stack import Stack

BLOCKS, MIB = 120, 2**20


@pytest.fixture(scope="module")
def large(stack: Stack) -> Iterator[tuple[str, Path]]:
    """The URL of an output of about 50 MB, and the file."""
    pid = LargeResult(BLOCKS).upload_to(stack.client, 120)
    file = next(path for path in stack.files_of(pid) if path.name == "output.csv")
    assert file.stat().st_size > 45 * MIB
    yield f"{stack.client.reports_url}{pid}/output", file
    stack.client.delete(pid)


@pytest.mark.parametrize("query, name", [("", "output.csv"), ("?format=jsonl", "totals.jsonl")])
def test_it_goes_on_where_an_interrupted_download_was(
    large: tuple[str, Path], tmp_path: Path, query: str, name: str
) -> None:
    url, folder, got = large[0] + query, large[1].parent, tmp_path / "got"
    requests.head(url, timeout=ANSWER_SECONDS)
    whole = folder / name
    wait_until(whole.exists, 60, f"{name} to be written")

    wanted = size(whole)
    interrupted(url, got, wanted * 4 // 10, rate=str(wanted // 3))
    had = size(got)
    assert had < wanted
    assert resumed(url, got) == f"206 {wanted - had}"
    assert filecmp.cmp(got, whole, shallow=False)


def test_it_holds_nothing_of_a_download_that_broke_off(
    stack: Stack, large: tuple[str, Path], tmp_path: Path
) -> None:
    url, file = large
    for number in range(3):
        interrupted(f"{url}?excel_safe=1", tmp_path / str(number), MIB, rate="2M")
    wait_until(lambda: not who_has_open(stack.web.pid, file), 20, "the file to be closed")


@pytest.mark.parametrize("query", ["", "?excel_safe=1"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_it_does_not_hold_a_large_download_in_memory(
    stack: Stack, large: tuple[str, Path], query: str, coding: str
) -> None:
    url, file = large
    requests.head(url, timeout=ANSWER_SECONDS)
    before = peak_bytes_from_now(stack.web.pid)
    headers = {"Accept-Encoding": coding}
    with requests.get(url + query, headers=headers, stream=True, timeout=60) as answer:
        received = sum(map(len, answer.iter_content(MIB)))
    assert received == file.stat().st_size
    assert peak_bytes(stack.web.pid) - before < 20 * MIB


def test_it_gives_the_same_totals_in_every_format(client: Client, tmp_path: Path) -> None:
    pid = client.upload(samples.BAD_ROWS)
    url = client.done(pid)["output_file"]
    lines = requests.get(f"{url}?format=jsonl", timeout=ANSWER_SECONDS)
    parquet = tmp_path / "totals.parquet"
    accept = {"Accept": "application/vnd.apache.parquet"}
    parquet.write_bytes(requests.get(url, headers=accept, timeout=ANSWER_SECONDS).content)
    from_lines = [tuple(json.loads(line).values()) for line in lines.text.splitlines()]
    columns = pyarrow.parquet.read_table(parquet).to_pydict()
    days = [day.isoformat() for day in columns["Date"]]
    assert from_lines == list(zip(columns["Song"], days, columns["Plays"], strict=True))
    assert from_lines[0] == ('12" Mix', "2020-01-02", 5)
    assert len(from_lines) == len(samples.BAD_ROWS_TOTALS.splitlines()) - 1


def test_it_sends_nothing_twice(client: Client) -> None:
    pid = client.upload(samples.PLAYS)
    url = client.done(pid)["output_file"]
    first = requests.get(url, timeout=ANSWER_SECONDS)
    known = {"If-None-Match": first.headers["ETag"]}
    again = requests.get(url, headers=known, timeout=ANSWER_SECONDS)
    assert (again.status_code, again.content) == (304, b"")
