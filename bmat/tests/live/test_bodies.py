"""Bodies as pipes, generators and hasty clients send them."""

import json
import socket
from collections.abc import Iterator

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import ANSWER_SECONDS, Client
from bmat.tests.live.multipart import AFTER, CONTENT_TYPE, before
from bmat.tests.live.stack import Stack

MIB = 2**20
BODY = before("plays.csv") + samples.PLAYS + AFTER


def pieces(content: bytes) -> Iterator[bytes]:
    """What a generator makes of it: nobody knows its length before its end."""
    for start in range(0, len(content), 10):
        yield content[start : start + 10]


def test_it_takes_an_upload_that_comes_out_of_a_generator(client: Client) -> None:
    headers = {"Content-Type": CONTENT_TYPE}
    answer = requests.post(client.reports_url, data=pieces(BODY), headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    assert client.download(client.done(answer.json()["pid"])) == samples.PLAYS_TOTALS


def test_it_takes_a_large_upload_that_comes_out_of_a_generator(client: Client) -> None:
    rows = b"a,2020-01-01,1\n" * 200_000

    def content() -> Iterator[bytes]:
        yield before("plays.csv") + b"Song,Date,Number of Plays\n"
        yield rows
        yield AFTER

    headers = {"Content-Type": CONTENT_TYPE}
    answer = requests.post(client.reports_url, data=content(), headers=headers, timeout=30)
    assert client.done(answer.json()["pid"])["plays_total"] == 200_000


def test_it_reads_a_login_that_comes_out_of_a_generator(client: Client) -> None:
    login = json.dumps({"username": "nobody", "password": "a password"}).encode()
    answer = requests.post(
        f"{client.base_url}/api/auth/login",
        data=pieces(login),
        headers={"Content-Type": "application/json"},
        timeout=ANSWER_SECONDS,
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_login")


@pytest.mark.parametrize(
    "path, headers, status",
    [
        ("/api/reports/", "Content-Type: multipart/form-data", 400),
        ("/api/reports/", f"Content-Type: {CONTENT_TYPE}\r\nContent-Encoding: gzip", 415),
        ("/api/auth/login", "Content-Type: application/json", 413),
        ("/api/nowhere", "Content-Type: text/csv", 413),
    ],
    ids=["no form", "compressed", "a large login", "nowhere"],
)
def test_an_early_answer_reaches_a_client_that_sends_all_before_it_listens(
    stack: Stack, path: str, headers: str, status: int
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {30 * MIB}\r\n{headers}"
    with socket.create_connection(("127.0.0.1", stack.web_port), timeout=30) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        for _ in range(30):
            connection.sendall(b"x" * MIB)
        answer = connection.makefile("rb").read()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"detail" in answer
