"""Uploads that come in parts, over links that break, to servers that die."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader.uploader import Uploader

from bmat.tests.live.client import Client, within
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port, wait_until
from bmat.tests.live.proxy import proxied
from bmat.tests.live.resumable import MIB, Resumable
from bmat.tests.live.stack import START_SECONDS, Stack

CONTENT, TOTALS = as_csv(plays(1_400_000))
FEW_THREADS = {"BMAT_WEB_THREADS": "4"}


class Killable:
    """A web server of its own, which can be killed and started again."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        port = free_port()
        command = [str(PROJECT_FOLDER / "compose" / "production" / "django" / "start")]
        self.environment = {**stack.environment, **FEW_THREADS, "PORT": str(port)}
        self.process = ServerProcess("killable", command, folder)
        self.client = Client(f"http://127.0.0.1:{port}")

    def start(self) -> None:
        self.process.start(self.environment)
        self.process.wait_until_ready(self.client.answers, START_SECONDS)


@pytest.fixture(scope="module")
def web(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    server = Killable(stack, tmp_path_factory.mktemp("killable"))
    server.start()
    try:
        yield server
    finally:
        server.process.stop()


@pytest.fixture
def tus(client: Client) -> Resumable:
    return Resumable(client)


def reports_of(client: Client, name: str) -> list[str]:
    """The pids of the reports of a file of that name."""
    found = client.send("GET", f"{client.reports_url}?input_name={name}").json()["results"]
    return [report["pid"] for report in found]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    """30 MB of plays."""
    path = tmp_path / "killed.csv"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        yield file


def uploader(web: Killable, file: BinaryIO, url: str | None = None) -> Uploader:
    """tuspy's. With an address, it begins as a client does that was killed: it asks how much is
    there.
    """
    tus = TusClient(f"{web.client.base_url}/api/uploads/")
    return tus.uploader(
        file_stream=file, url=url, chunk_size=4 * MIB, metadata={"filename": "killed.csv"}
    )


def test_a_file_of_30_mb_arrives_whole_that_is_broken_off_and_whose_server_is_killed(
    web: Killable, client: Client, file: BinaryIO
) -> None:
    first = uploader(web, file)
    first.upload(stop_at=8 * MIB)
    url = str(first.url)
    second = uploader(web, file, url)
    assert second.offset == 8 * MIB
    second.upload(stop_at=16 * MIB)
    sent = CONTENT[16 * MIB : 18 * MIB]
    with Resumable(web.client).begun(url, 16 * MIB, 10 * MIB, sent):
        web.process.kill()
    with pytest.raises(TusCommunicationError):
        uploader(web, file, url)
    web.start()
    third = uploader(web, file, url)
    assert 16 * MIB <= third.offset <= 18 * MIB
    third.upload()

    [pid] = reports_of(client, "killed.csv")
    assert Resumable(web.client).head(url)["Bmat-Report"] == pid
    assert client.download(client.done(pid)) == TOTALS


def test_what_has_arrived_counts_where_the_connection_breaks(tus: Resumable) -> None:
    url = tus.create(50 * MIB)
    with tus.begun(url, 0, 50 * MIB, b"x" * 3 * MIB):
        pass

    wait_until(lambda: tus.offset(url) == 3 * MIB, 10, "what has arrived to count")
    with tus.begun(url, 3 * MIB, 47 * MIB, b"x" * MIB):
        pass
    wait_until(lambda: tus.offset(url) == 4 * MIB, 10, "what has arrived to count")


def test_however_little_has_arrived_counts(tus: Resumable) -> None:
    url = tus.create(1000)
    with tus.begun(url, 0, 1000, b"x" * 300):
        pass

    wait_until(lambda: tus.offset(url) == 300, 10, "what has arrived to count")


def test_a_client_whose_connection_was_lost_goes_on_at_once(tus: Resumable) -> None:
    url = tus.create(50 * MIB)
    with tus.begun(url, 0, 50 * MIB, b"x" * 3 * MIB) as lost:
        # Both ends believe that the connection is there.
        with within(seconds=10):
            wait_until(lambda: tus.offset(url) == 3 * MIB, 10, "the lost request to give way")
            assert tus.patch(url, 3 * MIB, b"y" * MIB).status_code == 204
        assert lost.recv(12) == b"HTTP/1.1 423"


def test_a_second_writer_is_refused_while_the_first_one_writes(
    stack: Stack, tus: Resumable
) -> None:
    url, ends = tus.create(1000 * MIB), threading.Event()
    file = stack.home / "uploads" / url.rsplit("/", 1)[1]
    with tus.begun(url, 0, 1000 * MIB, b"x") as first:

        def send() -> None:
            while not ends.wait(0.01):
                first.sendall(b"x" * 10_000)

        sending = threading.Thread(target=send)
        sending.start()
        # The file's length says nothing: it is the one that was announced.
        wait_until(lambda: file.stat().st_blocks > 0, 10, "the first one to write")
        answer = tus.patch(url, 0, b"y" * MIB)
        ends.set()
        sending.join()
    assert (answer.status_code, answer.json()["code"]) == (423, "upload_locked")


def test_it_goes_through_the_proxy_as_it_comes(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("resumable-proxy")
    with proxied(stack, folder, FEW_THREADS) as client:
        tus = Resumable(client)
        url = tus.create(50 * MIB)
        # What the proxy has not passed on yet when a client goes away is lost, so this one stays.
        with tus.begun(url, 0, 50 * MIB, b"x" * 3 * MIB):
            wait_until(lambda: tus.offset(url) == 3 * MIB, 20, "what has arrived to count")
        assert tus.patch(url, 3 * MIB, b"x" * MIB).status_code == 204
        assert list((folder / "body").iterdir()) == []
