"""The service as it runs in containers: the images' start scripts as plain processes, on a private
PostgreSQL and Redis.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from bmat.tests.live.client import Client
from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port
from bmat.tests.live.servers import PrivatePostgres, PrivateRedis

START_SECONDS = 60.0
FLOWER_LOGIN = ("watcher", "a password of the live tests")
ADD = """
import json, sys
from django.contrib.auth.models import User
from knox.models import AuthToken
users = [User.objects.create_user(**login) for login in json.load(sys.stdin)]
print(AuthToken.objects.create(users[0])[1])
"""


class Stack:
    """All processes of one service, at work once `start` returns. `stop` leaves none behind.

    `settings` are environment variables on top of those that every service has.
    """

    # By the worker's name, what its start script is told: both take reports of every size.
    worker_arguments: Mapping[str, list[str]] = {
        "worker1": ["--concurrency", "1"],
        "worker2": ["--concurrency", "1"],
    }

    def __init__(
        self, folder: Path, home: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        logs = folder / "logs"
        logs.mkdir(parents=True)
        self.home = home or folder / "home"
        self.home.mkdir()
        self.settings = dict(settings or {})
        self.postgres = PrivatePostgres(logs)
        self.redis = PrivateRedis(logs)
        self.web_port, self.flower_port = free_port(), free_port()
        self.web = ServerProcess("web", _start("django"), logs)
        self.workers = [
            ServerProcess(name, _worker(name, arguments), logs)
            for name, arguments in self.worker_arguments.items()
        ]
        self.beat = ServerProcess("beat", _start("celerybeat"), logs)
        self.flower = ServerProcess("flower", _start("flower"), logs)
        self.client = Client(f"http://127.0.0.1:{self.web_port}")

    @property
    def processes(self) -> list[ServerProcess]:
        """Every process, in the order of their start."""
        clients = [self.flower, *self.workers, self.beat]
        return [self.postgres.process, self.redis.process, self.web, *clients]

    @property
    def environment(self) -> dict[str, str]:
        """What the containers would find in their environment."""
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "DATABASE_URL": self.postgres.url,
            "CELERY_BROKER_URL": self.redis.url,
            "BMAT_HOME": str(self.home),
            "CELERY_FLOWER_USER": FLOWER_LOGIN[0],
            "CELERY_FLOWER_PASSWORD": FLOWER_LOGIN[1],
            "HOST": "127.0.0.1",
            "PORT": str(self.web_port),
            "FLOWER_PORT": str(self.flower_port),
            "PYTHONUNBUFFERED": "1",
            # The receivers of the tests.
            "BMAT_WEBHOOK_HTTP": "on",
            "BMAT_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "BMAT_WEBHOOK_SECONDS": "2",
            **self.settings,
        }

    def start(self) -> None:
        """Start as the compose files do: the web server migrates, and the others wait for it."""
        self.postgres.start()
        self.redis.start()
        self.web.start(self.environment)
        self.web.wait_until_ready(self.client.answers, START_SECONDS)
        for process in [self.flower, *self.workers, self.beat]:
            process.start(self.environment)
        self.flower.wait_until_ready(self._flower_sees_the_workers, START_SECONDS)

    def stop(self) -> None:
        for process in [self.web, self.beat, *self.workers, self.flower]:
            process.stop()
        self.redis.stop()
        self.postgres.stop()
        # Hundreds of megabytes; the logs beside it are kept.
        shutil.rmtree(self.home)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """No report is worked on as long as the block takes."""
        for worker in self.workers:
            worker.signal_all(signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in self.workers:
                worker.signal_all(signal.SIGCONT)

    def manage(
        self,
        *arguments: str,
        stdin: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> str:
        """What a command of manage.py prints, with these settings beside the service's."""
        ended = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT_FOLDER,
            env={**self.environment, **(settings or {})},
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def add_users(self, *logins: dict[str, str]) -> str:
        """Adds ordinary users, who log in with a password; a token of the first one."""
        return self.manage("shell", "--no-imports", "--command", ADD, stdin=json.dumps(logins))

    def token_of_new_user(self, name: str) -> str:
        return self.manage("create_token", name, "--create-user")

    def flower_get(self, path: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.flower_port}{path}"
        return requests.get(url, auth=FLOWER_LOGIN, timeout=10)

    def times_in_worker_logs(self, text: str) -> int:
        return sum(worker.log().count(text) for worker in self.workers)

    def files_of(self, pid: str) -> list[Path]:
        """Every file of a report, wherever it lies in the service's home."""
        return sorted(path for path in self.home.rglob("*") if path.is_file() and pid in str(path))

    def _flower_sees_the_workers(self) -> bool:
        try:
            workers = self.flower_get("/workers?json=1").json()["data"]
        except requests.ConnectionError:
            return False
        alive = [worker for worker in workers if worker["status"]]
        return len(alive) == len(self.workers)


def _start(service: str) -> list[str]:
    return [str(PROJECT_FOLDER / "compose" / "production" / service / "start")]


def _worker(name: str, arguments: list[str]) -> list[str]:
    return [*_start("celeryworker"), "--hostname", f"{name}@test", *arguments]
