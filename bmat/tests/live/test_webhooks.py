"""Who is told that a report has ended: real workers, PostgreSQL, Redis, and receivers on the
loopback.
"""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from bmat.tests import samples
from bmat.tests.live.client import Client
from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, wait_until
from bmat.tests.live.receiver import Receiver, receiving, status
from bmat.tests.live.stack import Stack

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SOON_SECONDS = 20.0


def wait_for_requests(receiver: Receiver, count: int, seconds: float = SOON_SECONDS) -> None:
    wait_until(lambda: len(receiver.requests) >= count, seconds, f"{count} requests")


def deliveries(client: Client, pid: str) -> Any:
    answer = client.send("GET", f"{client.reports_url}{pid}/deliveries")
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_until_delivered(client: Client, pid: str, seconds: float = SOON_SECONDS) -> Any:
    """The one delivery of a report, once it is done with."""
    state = "a delivery to be done with"
    wait_until(lambda: deliveries(client, pid)[0]["state"] != "pending", seconds, state)
    [delivery] = deliveries(client, pid)
    return delivery


def test_a_receiver_is_told_once_that_a_report_is_done(client: Client) -> None:
    with receiving(status(204)) as receiver:
        pid = client.upload(samples.PLAYS, callback_url=receiver.url, callback_secret=SECRET)
        wait_for_requests(receiver, 1)
        delivery = wait_until_delivered(client, pid)

    [request] = receiver.requests
    event = Verifier(SECRET).verify(request.body, request.headers)
    assert event["type"] == delivery["event"] == "report.done"
    assert (event["data"]["pid"], event["data"]["plays_total"]) == (pid, 2400)
    assert request.headers["webhook-id"] == delivery["id"]
    assert [attempt["status"] for attempt in delivery["attempts"]] == [204]


def test_a_receiver_that_is_down_is_told_when_it_is_back(client: Client) -> None:
    with receiving(status(500), status(302, Location="/other"), status(200)) as receiver:
        pid = client.upload(b"no,header\n", callback_url=receiver.url)
        # After 5 s, by itself; 5 minutes later comes the next attempt, unless it is asked for.
        wait_for_requests(receiver, 2)
        wait_until(lambda: len(deliveries(client, pid)[0]["attempts"]) == 2, 10, "two attempts")
        [delivery] = deliveries(client, pid)
        again = f"{client.reports_url}{pid}/deliveries/{delivery['id']}/resend"
        assert client.send("POST", again).status_code == 202
        delivery = wait_until_delivered(client, pid)

    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 302, 200]
    assert {request.path for request in receiver.requests} == {"/events"}
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery["id"]}
    assert len({request.body for request in receiver.requests}) == 1


@pytest.fixture
def other_worker(stack: Stack, tmp_path: Path) -> Iterator[ServerProcess]:
    """A worker for events alone, as in production, which takes the place of the others for a while
    once it is started.
    """
    script = str(PROJECT_FOLDER / "compose/production/celeryworker/start")
    arguments = ["--queues", "webhooks", "--pool", "threads", "--concurrency", "2"]
    worker = ServerProcess("webhooks", [script, *arguments, "--hostname", "other@test"], tmp_path)
    yield worker
    worker.stop()
    for each in stack.workers:
        each.start(stack.environment)


def test_an_event_that_its_worker_was_killed_at_comes_again(
    stack: Stack, client: Client, other_worker: ServerProcess
) -> None:
    def wait(handler: BaseHTTPRequestHandler) -> None:
        receiver.ends.wait(60)

    with receiving(wait, status(200)) as receiver:
        pid = client.upload(samples.PLAYS, callback_url=receiver.url)
        wait_for_requests(receiver, 1)
        for worker in stack.workers:
            worker.kill()
        other_worker.start(stack.environment)
        # Once the lease of the attempt has run out.
        wait_for_requests(receiver, 2, 60)
        delivery = wait_until_delivered(client, pid)

    assert [attempt["error"] for attempt in delivery["attempts"]] == ["worker_lost", None]
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery["id"]}


def test_a_report_that_is_deleted_takes_what_is_not_delivered_along(client: Client) -> None:
    with receiving(status(500)) as receiver:
        pid = client.upload(samples.PLAYS, callback_url=receiver.url)
        wait_for_requests(receiver, 1)
        assert client.delete(pid).status_code == 204

    assert client.send("GET", f"{client.reports_url}{pid}/deliveries").status_code == 404


@pytest.fixture
def webhook(locked: Stack) -> Any:
    """A receiver that is alice's webhook, and its secret."""
    url = f"{locked.client.base_url}/api/webhooks/"
    with receiving(status(200)) as receiver:
        made = locked.client.send("POST", url, json={"url": receiver.url})
        assert made.status_code == 201, made.text
        yield receiver, made.json()["secret"]
        assert locked.client.send("DELETE", made.headers["Location"]).status_code == 204


def test_a_webhook_is_told_of_every_report_of_its_owner(
    locked: Stack, webhook: tuple[Receiver, str]
) -> None:
    receiver, secret = webhook
    other = Client(locked.client.base_url, locked.token_of_new_user("told-of-nothing"))
    pids = [locked.client.upload(samples.PLAYS), locked.client.upload(b"no,header\n")]
    other.done(other.upload(samples.PLAYS))

    for pid in pids:
        locked.client.finished(pid)
    wait_for_requests(receiver, 2)

    events = [Verifier(secret).verify(each.body, each.headers) for each in receiver.requests]
    assert {event["data"]["pid"] for event in events} == set(pids)
    assert {event["type"] for event in events} == {"report.done", "report.failed"}
