"""A broker that is away, and messages that come twice, change nothing about a report."""

from pathlib import Path

from celery import Celery

from bmat.taskapp.celery import PROCESS_REPORT, SMALL
from bmat.tests import samples
from bmat.tests.live.client import Client, within
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import Stack


def deliver_again(stack: Stack, pid: str) -> None:
    """Deliver the report's message once more."""
    with Celery(broker=stack.redis.url) as sender:
        sender.send_task(PROCESS_REPORT, args=[pid], task_id=pid, queue=SMALL)


def in_vain(stack: Stack, pid: str) -> int:
    """How many deliveries of the report's message found that there was nothing to do."""
    return stack.times_in_worker_logs(f"report {pid}: nothing to do")


def contents(stack: Stack, pid: str) -> dict[Path, tuple[int, bytes]]:
    """When each file of the report was written, and what is in it."""
    paths = stack.files_of(pid)
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def test_it_accepts_uploads_while_the_broker_is_away(stack: Stack, client: Client) -> None:
    stack.redis.stop()
    try:
        with within(3):
            pid = client.upload(samples.PLAYS)
        assert client.body(pid)["status"] == 0
    finally:
        stack.redis.start()
    assert client.download(client.done(pid)) == samples.PLAYS_TOTALS


def test_it_makes_one_result_of_a_message_that_comes_three_times(
    stack: Stack, client: Client
) -> None:
    content, expected = as_csv(plays(100_000))
    pid = client.upload(content)
    deliver_again(stack, pid)
    deliver_again(stack, pid)
    body = client.done(pid)
    wait_until(lambda: in_vain(stack, pid) == 2, 30, "the other deliveries to be worked off")
    assert stack.times_in_worker_logs(f"report {pid}: started") == 1
    assert client.download(body) == expected
    assert client.body(pid) == body


def test_it_leaves_a_finished_report_alone(stack: Stack, client: Client) -> None:
    pid = client.upload(samples.PLAYS)
    body = client.done(pid)
    files = contents(stack, pid)
    deliver_again(stack, pid)
    wait_until(lambda: in_vain(stack, pid) == 1, 30, "the second delivery to be worked off")
    assert client.body(pid) == body
    assert contents(stack, pid) == files
