"""A web server that dies, clients that go away, and clients that ask again and again."""

import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bmat.tests.faults.inspection import left_over
from bmat.tests.faults.rounds import Round
from bmat.tests.faults.service import FaultyService
from bmat.tests.live.client import ANSWER_SECONDS
from bmat.tests.live.multipart import before, request_head
from bmat.tests.live.processes import wait_until

POSTS, DROPPED = 50, 5
DISK_SECONDS = 20.0
MIB = 2**20


def kept_inputs(service: FaultyService) -> list[str]:
    """The uploaded files that lie in their place and have no row."""
    return [path for path in left_over(service) if path.endswith("/input.csv")]


def test_it_forgets_an_upload_whose_web_server_is_killed_between_file_and_row(
    service: FaultyService, a_round: Round
) -> None:
    a_round.long_under_way()
    with a_round.fault():
        with service.database.new_reports_held_up():
            wait_until(lambda: bool(kept_inputs(service)), DISK_SECONDS, "a file without a row")
            service.web.kill()
        assert kept_inputs(service)
        service.start_web()
    a_round.all_end()
    service.sweep()
    a_round.ends_well()


def test_it_forgets_uploads_whose_clients_go_away(service: FaultyService, a_round: Round) -> None:
    a_round.long_under_way()
    uploads_folder = service.home / "uploads"
    with a_round.fault():
        connections = [
            socket.create_connection(("127.0.0.1", service.web_port)) for _ in range(DROPPED)
        ]
        for number, connection in enumerate(connections):
            connection.sendall(request_head(service.web_port, 50 * MIB) + before(f"{number}.csv"))
            connection.sendall(b"Song,Date,Number of Plays\n" + b"x" * MIB)
        wait_until(
            lambda: len(list(uploads_folder.iterdir())) >= DROPPED, DISK_SECONDS, "the uploads"
        )
        for connection in connections:
            connection.close()
    a_round.ends_well()


@pytest.mark.quick
def test_it_makes_one_report_of_fifty_posts_with_the_same_key(
    service: FaultyService, a_round: Round
) -> None:
    key, together = str(uuid.uuid4()), threading.Barrier(POSTS)
    name, content = a_round.uploads.new_small()

    def post(_: int) -> requests.Response:
        together.wait()
        return requests.post(
            service.client.reports_url,
            files={"input_file": (name, content)},
            headers={"Idempotency-Key": key},
            timeout=ANSWER_SECONDS,
        )

    a_round.long_under_way()
    with a_round.fault():
        with ThreadPoolExecutor(POSTS) as clients:
            answers = list(clients.map(post, range(POSTS)))
    assert {answer.status_code for answer in answers} <= {200, 201}, answers
    [pid] = {answer.json()["pid"] for answer in answers}
    assert [row.pid for row in service.database.rows() if row.name == name] == [pid]
    a_round.ends_well()
