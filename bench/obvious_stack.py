"""The obvious solution at work, on the PostgreSQL and the Redis of a running service."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]  # the package has no types
import requests

from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port
from bmat.tests.live.stack import START_SECONDS, Stack

ENDS = "SELECT pid::text, extract(epoch FROM finished)::float FROM obvious_report WHERE status = 1"


class Obvious:
    """The web server listens on `port`; as many processes answer and work as bmat's do. Where it
    `is_empty`, its task reads and writes no file.
    """

    def __init__(
        self, stack: Stack, folder: Path, worker_processes: int, is_empty: bool = False
    ) -> None:
        self.port = free_port()
        self._url = stack.postgres.url
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.obvious.settings",
            "DATABASE_URL": self._url,
            "CELERY_BROKER_URL": stack.redis.url,
            "OBVIOUS_HOME": str(folder / "obvious"),
            "OBVIOUS_TASK": "empty" if is_empty else "",
        }
        programs, app = Path(sys.executable).parent, "bench.obvious.service"
        web = [str(programs / "granian"), "--interface", "wsgi", "--port", str(self.port)]
        web += ["--workers", "2", "--blocking-threads", "16", f"{app}:application"]
        worker = [str(programs / "celery"), "--app", f"{app}:celery", "worker", "--loglevel"]
        worker += ["INFO", "--concurrency", str(worker_processes), "--queues", "obvious"]
        self._web = ServerProcess("obvious-web", web, folder)
        self._worker = ServerProcess("obvious-worker", worker, folder)

    def ends(self) -> dict[str, float]:
        """When each report that is Done was so, in seconds of the clock, by pid."""
        connection = psycopg2.connect(self._url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(ENDS)
                return dict(cursor.fetchall())
        finally:
            connection.close()

    @contextmanager
    def running(self) -> Iterator["Obvious"]:
        """For the time of the block, it takes reports."""
        command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
        subprocess.run(command, check=True, env=self._environment, cwd=PROJECT_FOLDER)
        try:
            self._web.start(self._environment)
            self._worker.start(self._environment)
            self._web.wait_until_ready(self._answers, START_SECONDS)
            ready = " ready."
            self._worker.wait_until_ready(lambda: ready in self._worker.log(), START_SECONDS)
            yield self
        finally:
            self._web.stop()
            self._worker.stop()

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/api/", timeout=5).ok
        except requests.ConnectionError:
            return False
