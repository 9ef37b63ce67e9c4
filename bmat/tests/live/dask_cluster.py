"""A Dask cluster of this machine: a scheduler and workers of one thread, each a process."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port, wait_until

ADDRESS_VARIABLE = "DASK_SCHEDULER_ADDRESS"
START_SECONDS = 60.0
# Its profiler looks at the threads of each worker a hundred times a second, its event loops at
# themselves fifty times, and its workers at their memory ten times, on processors that are needed.
QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__MONITOR_INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class DaskCluster:
    """A scheduler, which listens at `port`, and its workers."""

    port: int
    processes: Sequence[ServerProcess]

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def halt(self) -> None:
        """Keep all of it from working: one at rest takes a twentieth of a processor."""
        for process in self.processes:
            process.signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        """Work again after `halt`."""
        for process in self.processes:
            process.signal_all(signal.SIGCONT)


@contextmanager
def dask_cluster(worker_count: int, folder: Path, port: int = 0) -> Iterator[DaskCluster]:
    """A cluster of so many workers, which have registered, at `port` or a free one. It is ended
    after that; its logs and files lie in `folder`.
    """
    port = port or free_port()
    dask = [sys.executable, "-m", "dask"]
    quiet = ["--host", "127.0.0.1", "--no-dashboard"]
    work = [*dask, "worker", f"tcp://127.0.0.1:{port}", *quiet, "--nthreads", "1", "--no-nanny"]
    environment = {**os.environ, **QUIET, "PYTHONPATH": str(PROJECT_FOLDER)}
    scheduler = ServerProcess(
        "scheduler", [*dask, "scheduler", *quiet, "--port", f"{port}"], folder
    )
    workers = [
        ServerProcess(name, [*work, "--name", name, "--local-directory", str(folder)], folder)
        for name in (f"worker-{number}" for number in range(1, worker_count + 1))
    ]
    try:
        scheduler.start(environment)
        for worker in workers:
            worker.start(environment)
        scheduler.wait_until_ready(lambda: listens(port), START_SECONDS)
        for worker in workers:
            registered = f"{worker.name} to register"
            wait_until(
                lambda: "Registered to" in worker.log(), START_SECONDS, registered, worker.log_tail
            )
        yield DaskCluster(port, [*workers, scheduler])
    finally:
        for process in [*workers, scheduler]:
            process.stop()
