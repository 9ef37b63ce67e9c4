"""The same run on a Dask cluster: a scheduler and two workers, each a process, on this machine."""

import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import pytest

from bmat.aggregation import AggregationError, ClusterAway, InputFile, Limits, aggregate
from bmat.aggregation.tests.plays import many_songs
from bmat.aggregation.tests.running import HEADER, names_in
from bmat.tests.live.dask_cluster import ADDRESS_VARIABLE, START_SECONDS, dask_cluster
from bmat.tests.live.processes import free_port, wait_until

pytestmark = [pytest.mark.live, pytest.mark.enable_socket]

LIMITS = Limits(block_bytes=500_000, memory_budget_bytes=10**7)


class CountingRelay:
    """Stands between a client and a server of this machine, and counts the bytes that pass."""

    def __init__(self, target_port: int) -> None:
        self.bytes_passed = 0
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._relay)
        self._stop = threading.Event()
        self._thread.start()

    def _relay(self) -> None:
        peers: dict[socket.socket, socket.socket] = {}
        while not self._stop.is_set():
            ready, _, _ = select.select([self._listener, *peers], [], [], 0.1)
            for one in ready:
                if one is self._listener:
                    client, _ = one.accept()
                    server = socket.create_connection(("127.0.0.1", self._target_port))
                    peers |= {client: server, server: client}
                elif one in peers:
                    self._pass_on(one, peers)
        for one in peers:
            one.close()

    def _pass_on(self, one: socket.socket, peers: dict[socket.socket, socket.socket]) -> None:
        data = one.recv(2**16)
        self.bytes_passed += len(data)
        if data:
            peers[one].sendall(data)
            return
        other = peers.pop(one)
        del peers[other]
        one.close()
        other.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a scheduler with two workers."""
    with dask_cluster(2, tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster.port


@pytest.fixture
def relay(cluster: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingRelay]:
    """What this process says to the cluster, and hears from it, passes here."""
    between = CountingRelay(cluster)
    monkeypatch.setenv(ADDRESS_VARIABLE, f"tcp://127.0.0.1:{between.port}")
    try:
        yield between
    finally:
        between.stop()


def run(folder: Path, data: bytes) -> tuple[bytes, ...]:
    """The bytes of everything that a run leaves."""
    folder.mkdir()
    (folder / "in.csv").write_bytes(data)
    aggregate(
        [InputFile(folder / "in.csv", "in.csv")],
        folder / "totals.csv",
        rejects=folder / "rejects.csv",
        limits=LIMITS,
        summary_file=folder / "summary.json",
    )
    assert len(names_in(folder)) == 4
    return tuple((folder / name).read_bytes() for name in names_in(folder))


def test_a_cluster_gives_the_same_bytes_and_no_row_passes_through_here(
    relay: CountingRelay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = many_songs(songs=20_000, rows=200_000) + b"bad\n" * 100
    on_the_cluster = run(tmp_path / "cluster", data)
    monkeypatch.delenv(ADDRESS_VARIABLE)
    assert run(tmp_path / "threads", data) == on_the_cluster
    assert sum(map(len, on_the_cluster)) > 9_000_000
    assert 1_000 < relay.bytes_passed < 200_000


def test_runs_of_the_same_moment_do_not_take_one_anothers_results(
    cluster: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, f"tcp://127.0.0.1:{cluster}")
    files = {f"{n}": many_songs(songs=2_000 + n, rows=100_000) + b"bad\n" * n for n in range(1, 5)}
    with ThreadPoolExecutor(len(files)) as threads:
        runs = {name: threads.submit(run, tmp_path / name, data) for name, data in files.items()}
        on_the_cluster = {name: each.result() for name, each in runs.items()}
    monkeypatch.delenv(ADDRESS_VARIABLE)
    for name, data in files.items():
        assert run(tmp_path / f"{name} alone", data) == on_the_cluster[name]


def test_an_error_on_the_cluster_comes_out_as_it_is(relay: CountingRelay, tmp_path: Path) -> None:
    rows = b"a,2020-01-01,9223372036854775807\n" * 20_000
    with pytest.raises(AggregationError) as caught:
        run(tmp_path / "cluster", HEADER + rows)
    assert caught.value.code == "plays_overflow"
    assert names_in(tmp_path / "cluster") == ["in.csv"]


@pytest.fixture
def impatient() -> Iterator[None]:
    """A scheduler is given up after a second."""
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        yield


@pytest.mark.usefixtures("impatient")
def test_a_cluster_that_is_not_there_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv(ADDRESS_VARIABLE, address)
    with pytest.raises(ClusterAway, match=f"^The Dask cluster at {address} cannot be reached: "):
        run(tmp_path / "cluster", HEADER + b"a,2020-01-01,1\n")
    assert names_in(tmp_path / "cluster") == ["in.csv"]


@pytest.mark.usefixtures("impatient")
def test_a_cluster_that_goes_away_is_told_apart(relay: CountingRelay, tmp_path: Path) -> None:
    def cut_off() -> None:
        wait_until(lambda: relay.bytes_passed > 2_000, START_SECONDS, "the run to begin")
        relay.stop()

    cutter = threading.Thread(target=cut_off)
    cutter.start()
    with pytest.raises(ClusterAway, match="has gone away"):
        run(tmp_path / "cluster", many_songs(songs=20_000, rows=1_000_000))
    cutter.join()
    assert names_in(tmp_path / "cluster") == ["in.csv"]
