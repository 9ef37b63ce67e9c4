"""Posting again with an Idempotency-Key, through sockets, on PostgreSQL."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import requests

from bmat.tests import samples
from bmat.tests.live.client import Client
from bmat.tests.live.stack import Stack

AT_ONCE = 50


def post(client: Client, key: str, content: bytes) -> requests.Response:
    files = {"input_file": ("plays.csv", content)}
    headers = {"Idempotency-Key": key}
    return requests.post(client.reports_url, files=files, headers=headers, timeout=30)


def names_in(stack: Stack) -> set[str]:
    """What there is of reports and uploads, those of other tests too."""
    return {path.name for name in ("reports", "uploads") for path in (stack.home / name).iterdir()}


def test_it_makes_one_report_of_fifty_posts_at_once(stack: Stack, client: Client) -> None:
    key = str(uuid.uuid4())
    before = names_in(stack)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: post(client, key, samples.PLAYS), range(AT_ONCE)))

    [pid] = {answer.json()["pid"] for answer in answers}
    assert {answer.status_code for answer in answers} == {201}
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == AT_ONCE - 1
    assert client.download(client.done(pid)) == samples.PLAYS_TOTALS
    assert names_in(stack) - before == {pid}


def test_it_refuses_the_key_for_another_file(client: Client) -> None:
    key = str(uuid.uuid4())
    client.done(post(client, key, samples.PLAYS).json()["pid"])

    assert post(client, key, samples.BAD_ROWS).status_code == 409
