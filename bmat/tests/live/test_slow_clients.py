"""Clients that take their time hold up nobody else: through the proxy of production, and without
one.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from bmat.tests.live import slow_clients
from bmat.tests.live.client import Client
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port
from bmat.tests.live.proxy import proxied
from bmat.tests.live.slow_clients import Other, status_of, waiting
from bmat.tests.live.stack import START_SECONDS, Stack

ANSWER_SECONDS = 1.0
DOORS = ["proxy", "direct"]
# All web servers of this module share one database, which has 100 connections.
FEW_THREADS = {"BMAT_WEB_THREADS": "4"}


@pytest.fixture(scope="module")
def proxy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with proxied(stack, tmp_path_factory.mktemp("slow"), FEW_THREADS) as client:
        yield client


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, proxy: Client, client: Client) -> Client:
    """The service through its proxy, and without one."""
    return {"proxy": proxy, "direct": client}[request.param]


@pytest.fixture(scope="module")
def impatient(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A web server that waits for one second."""
    port = free_port()
    settings = {
        "PORT": str(port),
        "BMAT_READ_SECONDS": "1",
        **FEW_THREADS,
    }
    command = [str(PROJECT_FOLDER / "compose" / "production" / "django" / "start")]
    web = ServerProcess("impatient", command, tmp_path_factory.mktemp("impatient"))
    web.start(stack.environment | settings)
    try:
        client = Client(f"http://127.0.0.1:{port}")
        web.wait_until_ready(client.answers, START_SECONDS)
        yield client
    finally:
        web.stop()


@pytest.fixture(scope="module")
def output(proxy: Client) -> str:
    """The path of a result that is larger than what connections hold."""
    pid = proxy.upload(as_csv(plays(400_000, songs=100_000))[0])
    proxy.done(pid)
    return f"/api/reports/{pid}/output"


def port_of(door: Client) -> int:
    return int(door.base_url.rpartition(":")[2])


@pytest.mark.parametrize(
    "sent",
    [slow_clients.login, slow_clients.upload, slow_clients.nothing],
    ids=lambda sent: str(sent.__name__),
)
def test_200_clients_that_send_no_more_hold_up_nobody(
    door: Client, sent: Callable[[int], bytes]
) -> None:
    with waiting(port_of(door), sent(port_of(door))):
        assert Other(door.base_url).slowest() < ANSWER_SECONDS


@pytest.mark.parametrize("query", ["", "?excel_safe=1", "?format=jsonl"])
def test_200_clients_that_read_no_more_hold_up_nobody(
    door: Client, output: str, query: str
) -> None:
    sent = slow_clients.download(port_of(door), output + query)
    with waiting(port_of(door), sent) as sockets:
        # The work on 200 questions that come at once is not what readers hold up.
        assert slow_clients.all_answered(sockets)
        assert Other(door.base_url).slowest() < ANSWER_SECONDS


def test_clients_that_send_no_more_are_told_so(impatient: Client) -> None:
    port = port_of(impatient)
    with waiting(port, slow_clients.login(port)) as sockets:
        assert {status_of(client) for client in sockets} == {408}


def test_one_sender_has_a_few_uploads_under_way(impatient: Client) -> None:
    port = port_of(impatient)
    with waiting(port, slow_clients.upload(port), 40) as sockets:
        # Each of the two processes of the web server lets four come. Of the others it has threads
        # for twelve at a time to say so.
        counts = Counter(map(status_of, sockets))
        assert (counts[408], counts[429] + counts[503]) == (8, 32)
        assert counts[429] > 0


def test_one_reader_has_a_few_downloads_made(impatient: Client, output: str) -> None:
    port = port_of(impatient)
    sent = slow_clients.download(port, f"{output}?excel_safe=1")
    with waiting(port, sent, 40) as sockets:
        assert Counter(map(status_of, sockets)) == {429: 32, 200: 8}
