"""What `make run` starts, on its embedded default: SQLite and the filesystem broker."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import Client, within
from bmat.tests.live.processes import (
    PROJECT_FOLDER,
    ServerProcess,
    free_port,
    processes_with,
    wait_until,
)

START_SECONDS = 60.0
STOP_SECONDS = 30.0
SERVICE_VARIABLES = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "CELERY_BROKER_URL", "BMAT_HOME")


class RunningService:
    """`make run` without make, on free ports, with its files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.port, self.flower_port = free_port(), free_port()
        self.client = Client(f"http://127.0.0.1:{self.port}")
        script = str(PROJECT_FOLDER / "scripts" / "run.py")
        self.process = ServerProcess("run", [sys.executable, script], folder)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            key: value for key, value in os.environ.items() if key not in SERVICE_VARIABLES
        }
        ports = {"PORT": str(self.port), "FLOWER_PORT": str(self.flower_port)}
        return {**inherited, **ports, "BMAT_HOME": str(self.home)}

    def start(self) -> None:
        self.process.start(self.environment)
        self.process.wait_until_ready(self.client.answers, START_SECONDS)

    def pids(self) -> list[int]:
        return processes_with("BMAT_HOME", str(self.home))

    def stop(self, how: signal.Signals) -> None:
        """Signal the supervisor, and see everything end."""
        os.kill(self.process.pid, how)
        self.wait_until_ended()
        self.process.stop()

    def wait_until_ended(self) -> None:
        # The supervisor has no memory left, and so no name in /proc, before it can be waited for.
        wait_until(self._has_ended, STOP_SECONDS, "every process to end", self.process.log_tail)

    def _has_ended(self) -> bool:
        return self.pids() == [] and self.process.exit_code() is not None

    def flower_get(self, path: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.flower_port}{path}"
        return requests.get(url, auth=("user", "flower"), timeout=10)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    running = RunningService(tmp_path)
    running.start()
    try:
        yield running
    finally:
        for pid in running.pids():
            os.kill(pid, signal.SIGKILL)
        running.process.stop()


def test_it_does_the_main_job_and_finds_the_report_again(service: RunningService) -> None:
    with within(2):
        pid = service.client.upload(samples.PLAYS)
        body = service.client.done(pid)
    assert service.client.download(body) == samples.PLAYS_TOTALS
    task = f"/api/task/info/{pid}"
    wait_until(lambda: service.flower_get(task).ok, 10, "Flower to list the task")

    service.stop(signal.SIGINT)
    service.start()
    assert service.client.body(pid) == body
    assert service.client.download(body) == samples.PLAYS_TOTALS


def test_it_does_what_the_readme_says(service: RunningService) -> None:
    readme = (PROJECT_FOLDER / "README.md").read_text()
    section = readme.partition("## Upload, poll, download")[2]
    commands = section.partition("```sh\n")[2].partition("```")[0]
    here = commands.replace("127.0.0.1:8000", f"127.0.0.1:{service.port}")
    assert here != commands
    shell = ["sh", "-eu", "-c", here]
    printed = subprocess.run(shell, cwd=PROJECT_FOLDER, capture_output=True, timeout=30, check=True)
    assert printed.stdout.endswith(samples.PLAYS_TOTALS)


def test_it_shows_no_password_in_the_list_of_processes(service: RunningService) -> None:
    command_lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in service.pids()]
    assert any(b"flower" in line for line in command_lines)
    assert not any(b"user:flower" in line for line in command_lines)


def test_it_stops_as_a_whole_where_one_part_ends(service: RunningService) -> None:
    beat = next(
        pid for pid in service.pids() if b"\0beat\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(beat, signal.SIGKILL)
    service.wait_until_ended()
    assert service.process.exit_code() not in (0, None)


@pytest.mark.parametrize("variable", ["PORT", "FLOWER_PORT"])
def test_it_names_the_setting_of_a_port_that_is_taken(tmp_path: Path, variable: str) -> None:
    service = RunningService(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {**service.environment, variable: str(taken.getsockname()[1])}
        answer = subprocess.run(
            service.process.command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert answer.returncode == 2
    assert f"choose another port: {variable}=" in answer.stderr
