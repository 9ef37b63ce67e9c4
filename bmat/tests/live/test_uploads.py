"""Uploads of any size, by clients of any manners."""

import socket
from pathlib import Path

import requests

from bmat.tests import samples
from bmat.tests.live.client import Client
from bmat.tests.live.multipart import AFTER, CONTENT_TYPE, before, request_head
from bmat.tests.live.processes import wait_until
from bmat.tests.live.sessions import peak_bytes, peak_bytes_from_now
from bmat.tests.live.stack import Stack

MIB = 2**20
BEFORE = before("big.csv")


def test_it_leaves_nothing_of_an_upload_whose_client_goes_away(
    stack: Stack, client: Client
) -> None:
    before = _files_of_uploads(stack)
    with socket.create_connection(("127.0.0.1", stack.web_port), timeout=10) as connection:
        connection.sendall(request_head(stack.web_port, 50 * MIB) + BEFORE)
        connection.sendall(b"Song,Date,Number of Plays\n" + b"x" * 5 * MIB)
        wait_until(lambda: _files_of_uploads(stack) != before, 10, "the upload to begin on disk")
    wait_until(
        lambda: _files_of_uploads(stack) == before, 20, "the unfinished upload to be removed"
    )
    assert client.totals(samples.PLAYS) == samples.PLAYS_TOTALS


def test_it_does_not_hold_a_big_upload_in_memory(
    stack: Stack, client: Client, tmp_path: Path
) -> None:
    rows = b"".join(b"%d%s,2020-01-01,1\n" % (i % 2, b"x" * 4000) for i in range(51_000))
    multipart = tmp_path / "multipart"
    multipart.write_bytes(BEFORE + b"Song,Date,Number of Plays\n" + rows + AFTER)
    assert multipart.stat().st_size > 200_000_000
    client.totals(samples.PLAYS)

    before = peak_bytes_from_now(stack.web.pid)
    with multipart.open("rb") as body:
        headers = {"Content-Type": CONTENT_TYPE}
        answer = requests.post(client.reports_url, data=body, headers=headers, timeout=60)
    multipart.unlink()
    assert answer.status_code == 201, answer.text
    assert peak_bytes(stack.web.pid) - before < 40 * MIB
    assert client.done(answer.json()["pid"])["rows_read"] == 51_000


def _files_of_uploads(stack: Stack) -> set[Path]:
    """Every file of the service's home except beat's own, which come and go."""
    paths = [path for path in stack.home.rglob("*") if path.is_file()]
    return {path for path in paths if not path.name.startswith("celerybeat-schedule")}
