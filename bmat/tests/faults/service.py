"""The service whose parts the faults strike: several workers, and a disk that can be filled up."""

import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import redis
from celery import Celery

from bmat.taskapp.celery import PROCESS_REPORT, SMALL
from bmat.tests.faults.database import Database
from bmat.tests.faults.disk import Disk
from bmat.tests.live.processes import ServerProcess, processes_with, wait_until
from bmat.tests.live.stack import START_SECONDS, Stack

ANSWER_SECONDS = 2.0
SWEEP = """
from django.conf import settings
from bmat.api.services.sweep import sweep_files
settings.BMAT_SWEEP_AGE_SECONDS = 0.001
print(sweep_files(however_many=True))
"""


class FaultyService(Stack):
    """A `Stack` without Flower, on a disk of its own; `heal` mends whatever a fault has broken."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.disk = Disk(folder / "disk", self._writers)
        super().__init__(folder, self.disk.home, settings)
        self.database = Database(self.postgres.port)

    @property
    def processes(self) -> list[ServerProcess]:
        return [process for process in super().processes if process is not self.flower]

    def start(self) -> None:
        self.postgres.start()
        self.redis.start()
        self.start_web()
        for process in [*self.workers, self.beat]:
            process.start(self.environment)
        self.wait_for_workers()
        self.database.keep_a_log_of_finishes()

    def start_web(self) -> None:
        self.web.start(self.environment)
        self.web.wait_until_ready(self.client.answers, START_SECONDS)

    def stop(self) -> None:
        self.heal_processes()
        super().stop()
        self.disk.remove()

    def heal(self) -> None:
        """Let everything run again, as it did at the start."""
        self.disk.free()
        self.heal_processes()
        for worker in self.workers:
            if not worker.runs():
                worker.start(self.environment)
        if not self.beat.runs():
            self.beat.start(self.environment)
        self.wait_for_workers()

    def heal_processes(self) -> None:
        """Wake what is frozen; start the servers again, without which the others do nothing."""
        for process in self.processes:
            if process.runs():
                process.signal_all(signal.SIGCONT)
        if not self.postgres.process.runs():
            self.postgres.run()
        if not self.redis.process.runs():
            self.redis.start()
        if not self.web.runs():
            self.start_web()

    def wait_for_workers(self) -> None:
        wait_until(self._all_workers_answer, START_SECONDS, "all workers to answer")

    def _all_workers_answer(self) -> bool:
        with self._celery() as app:
            answers = app.control.ping(timeout=ANSWER_SECONDS, limit=len(self.workers)) or []
        return len(answers) == len(self.workers)

    def at_work_on(self, pid: str) -> tuple[ServerProcess, int]:
        """The worker that has the report, and the id of its process that works on it."""
        found: dict[str, int] = {}
        wait_until(partial(self._find, pid, found), START_SECONDS, f"a worker to have {pid}")
        [(name, process_id)] = found.items()
        return next(worker for worker in self.workers if worker.name == name), process_id

    def _find(self, pid: str, found: dict[str, int]) -> bool:
        with self._celery() as app:
            inspected = app.control.inspect(timeout=ANSWER_SECONDS, limit=len(self.workers))
            active = inspected.active() or {}
        for hostname, tasks in active.items():
            for task in tasks:
                if task["id"] == pid:
                    found[hostname.partition("@")[0]] = task["worker_pid"]
        return bool(found)

    def deliver_again(self, pid: str) -> None:
        """Deliver the report's message once more."""
        with self._celery() as app:
            app.send_task(PROCESS_REPORT, args=[pid], task_id=pid, queue=SMALL)

    def sweep(self) -> None:
        """Sweep what belongs to nothing, however young: to be called when nothing is under way."""
        self.manage("shell", "--no-imports", "--command", SWEEP)

    def remove_files(self) -> None:
        """Remove everything that lies in the folders of uploads and reports."""
        for folder in ("uploads", "reports"):
            for path in (self.home / folder).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def nobody_listening(self, but: ServerProcess | None = None) -> Iterator[None]:
        """For the time of the block, no worker takes a message, `but` one; what runs goes on."""
        deaf = [worker for worker in self.workers if worker is not but]
        for worker in deaf:
            os.kill(worker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in deaf:
                os.kill(worker.pid, signal.SIGCONT)

    @contextmanager
    def restarted(
        self, workers: Sequence[ServerProcess], settings: Mapping[str, str]
    ) -> Iterator[None]:
        """For the time of the block, these workers have other environment variables."""
        self._restart(workers, {**self.environment, **settings})
        try:
            yield
        finally:
            self._restart(workers, self.environment)

    def _restart(self, workers: Sequence[ServerProcess], environment: Mapping[str, str]) -> None:
        for worker in workers:
            worker.stop()
            worker.start(environment)
        self.wait_for_workers()

    def forget_messages(self) -> None:
        with redis.Redis(port=self.redis.port) as client:
            client.flushall()

    def _celery(self) -> Celery:
        app = Celery(broker=self.redis.url)
        # A connection that was kept might be one that a fault has broken.
        app.conf.broker_pool_limit = 0
        return app

    def _writers(self) -> list[int]:
        """Every process of the service that writes in its home."""
        return processes_with("BMAT_HOME", str(self.home))
