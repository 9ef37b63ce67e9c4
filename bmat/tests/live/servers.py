"""A PostgreSQL and a Redis of the tests' own, on free ports, from the programs on this machine."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import redis

from bmat.tests.live import programs
from bmat.tests.live.processes import ServerProcess, free_port

START_SECONDS = 60.0


class PrivatePostgres:
    """A fresh PostgreSQL in a temporary folder. It trusts everybody, and syncs nothing."""

    def __init__(self, log_folder: Path) -> None:
        self.port = free_port()
        self.url = f"postgres://bmat@127.0.0.1:{self.port}/postgres"
        self._programs = programs.POSTGRES.path().resolve().parent
        self._user = _unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="bmat-postgres-"))
        settings = ["fsync=off", "full_page_writes=off", "unix_socket_directories="]
        command = [str(self._programs / "postgres"), "-D", str(self._folder)]
        command += ["-h", "127.0.0.1", "-p", str(self.port)]
        for setting in settings:
            command += ["-c", setting]
        self.process = ServerProcess("postgres", command, log_folder)

    @property
    def version(self) -> str:
        return _version_of(self._programs / "postgres")

    def start(self) -> None:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        initdb = [str(self._programs / "initdb"), "-D", str(self._folder), "-U", "bmat"]
        subprocess.run(
            [*initdb, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            cwd="/",
            user=self._user,
            extra_groups=None if self._user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self.run()

    def run(self) -> None:
        """Start the server on the data that it has."""
        self.process.start({"PATH": os.environ["PATH"], "LC_ALL": "C"}, self._user)
        self.process.wait_until_ready(self._answers, START_SECONDS)

    def restart(self) -> None:
        """Stop the server under its clients' hands, and start it on the same data."""
        # SIGINT is PostgreSQL's "fast shutdown": it does not wait for clients to leave.
        self.process.stop(signal.SIGINT)
        self.run()

    def stop(self) -> None:
        self.process.stop(signal.SIGINT)
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1"]
        return subprocess.run([*command, "-p", str(self.port)], check=False).returncode == 0


class PrivateRedis:
    """A Redis server that keeps nothing on disk: stopped and started again, it is empty."""

    def __init__(self, log_folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._program = programs.REDIS.path()
        command = [str(self._program), "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(log_folder)]
        self.process = ServerProcess("redis", command, log_folder)

    @property
    def version(self) -> str:
        return _version_of(self._program)

    def start(self) -> None:
        self.process.start(os.environ)
        self.process.wait_until_ready(self._answers, START_SECONDS)

    def stop(self) -> None:
        self.process.stop()

    def _answers(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.exceptions.ConnectionError:
                return False


def _version_of(program: Path) -> str:
    command = [str(program), "--version"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _unprivileged_user() -> str | None:
    """The user to run PostgreSQL as, which refuses root; None where this user will do."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
