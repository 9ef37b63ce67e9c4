"""Formats that workers write on demand: what happens when one dies at it, or the report goes."""

import os
import signal
from pathlib import Path

import pytest
import requests

from bmat.tests.live.client import ANSWER_SECONDS, Client
from bmat.tests.live.downloading import ROWS_PER_BLOCK, LargeResult
from bmat.tests.live.processes import wait_until
from bmat.tests.live.sessions import who_has_open
from bmat.tests.live.stack import Stack

BLOCKS = 300


@pytest.fixture
def begun(stack: Stack, client: Client) -> tuple[str, Path, Path]:
    """A report of which a worker is writing JSON lines: its pid, the file, and its part."""
    pid = LargeResult(BLOCKS).upload_to(client, 120)
    output = next(path for path in stack.files_of(pid) if path.name == "output.csv")
    file, part = output.with_name("totals.jsonl"), output.with_name(".totals.jsonl.part")
    with pytest.raises(requests.ReadTimeout):
        head(client, pid, seconds=0.2)
    wait_until(part.exists, 20, "a worker to begin")
    return pid, file, part


def head(client: Client, pid: str, seconds: float = ANSWER_SECONDS) -> int:
    url = f"{client.reports_url}{pid}/output?format=jsonl"
    return requests.head(url, timeout=seconds).status_code


def writers(stack: Stack, file: Path) -> list[int]:
    return [pid for worker in stack.workers for pid in who_has_open(worker.pid, file)]


def test_it_survives_the_death_of_the_worker_that_writes(
    stack: Stack, client: Client, begun: tuple[str, Path, Path]
) -> None:
    pid, file, part = begun
    for process in writers(stack, part):
        os.kill(process, signal.SIGKILL)
    assert part.exists() and not file.exists()

    assert head(client, pid) == 202
    wait_until(lambda: head(client, pid) == 200, 90, "another worker to write it")
    assert file.read_bytes().count(b"\n") == BLOCKS * ROWS_PER_BLOCK
    assert not part.exists()
    client.delete(pid)


def test_it_leaves_nothing_of_a_report_that_is_deleted_meanwhile(
    stack: Stack, client: Client, begun: tuple[str, Path, Path]
) -> None:
    pid, file, part = begun
    assert client.delete(pid).status_code == 204

    assert head(client, pid) == 404
    deleted = Path(f"{part} (deleted)")
    wait_until(lambda: writers(stack, deleted) == [], 20, "the worker to stop")
    assert stack.files_of(pid) == []
    assert not file.parent.parent.exists()
