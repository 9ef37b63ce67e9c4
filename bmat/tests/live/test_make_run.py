"""What `make run` starts, on its embedded default: SQLite and the filesystem broker."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import DONE, Client, within
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
# Of the 25 that a first `make run` may take until its first report is done; the others are the
# installation's.
FIRST_MINUTE_LINES = 16
SWEEP_ALL = """
from django.conf import settings
from bmat.api.services.sweep import sweep_files
settings.BMAT_SWEEP_AGE_SECONDS = 0.001
print(sweep_files(however_many=True))
"""


class RunningService:
    """`make run` without make, on free ports, with its files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.port, self.flower_port = free_port(), free_port()
        self.client = Client(f"http://127.0.0.1:{self.port}")
        script = str(PROJECT_FOLDER / "scripts" / "run.py")
        self.process = ServerProcess("run", [sys.executable, script], folder)
        self._earlier_output = 0

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            key: value for key, value in os.environ.items() if key not in SERVICE_VARIABLES
        }
        ports = {"PORT": str(self.port), "FLOWER_PORT": str(self.flower_port)}
        return {**inherited, **ports, "BMAT_HOME": str(self.home)}

    def start(self, **environment: str) -> None:
        self._earlier_output = len(self.process.log())
        self.process.start({**self.environment, **environment})
        self.process.wait_until_ready(self.client.answers, START_SECONDS)

    def start_again(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Starts it a second time, which is expected to end by itself."""
        return subprocess.run(
            self.process.command,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def terminal(self) -> list[str]:
        """What it has printed since its last start."""
        return self.process.log()[self._earlier_output :].splitlines()

    def wait_for_line(self, part: str) -> list[str]:
        """Waits until `part` is on the terminal; the lines up to it."""
        wait_until(
            lambda: part in "\n".join(self.terminal()), START_SECONDS, part, self.process.log_tail
        )
        lines = self.terminal()
        return lines[: 1 + next(number for number, line in enumerate(lines) if part in line)]

    def pids(self) -> list[int]:
        return processes_with("BMAT_HOME", str(self.home))

    def pid_of(self, argument: str) -> int:
        """The first process with this argument."""
        wanted = f"\0{argument}\0".encode()
        lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.pids()}
        return next(pid for pid, line in lines.items() if wanted in line)

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


@pytest.fixture(scope="module")
def only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service of this module's tests, which one or the other of them ends."""
    only = RunningService(tmp_path_factory.mktemp("run"))
    try:
        yield only
    finally:
        for pid in only.pids():
            os.kill(pid, signal.SIGKILL)
        only.process.stop()


@pytest.fixture
def service(only: RunningService) -> RunningService:
    """The service, running."""
    if only.pids() == []:
        only.start()
    return only


def clock(line: str) -> str:
    """The time of day that the line begins with, if it does."""
    return (re.match(r"[0-9]{2}:[0-9]{2}:[0-9]{2} ", line) or [""])[0]


def test_its_first_minute_is_quiet(service: RunningService) -> None:
    service.wait_for_line("Ctrl-C stops everything.")
    pid = service.client.upload(samples.PLAYS)
    lines = service.wait_for_line(f"report {pid} done")
    assert len(lines) <= FIRST_MINUTE_LINES, "\n".join(lines)
    web, flower = f"http://127.0.0.1:{service.port}", f"http://127.0.0.1:{service.flower_port}"
    assert [re.sub(r"[0-9.]+ s\b", "N s", line.removeprefix(clock(line))) for line in lines] == [
        "Kernels   ready (N s)",
        "Database  ready (N s)",
        "",
        f"  Page     {web}/",
        f"  Docs     {web}/api/docs/",
        f"  Flower   {flower}/  (user: user)",
        f"  Files    {service.home}",
        f"  Logs     {service.home}/logs  (VERBOSE=1 make run shows them here)",
        "  Ctrl-C stops everything.",
        "",
        f"report {pid} received: plays.csv, {len(samples.PLAYS)} bytes",
        f"report {pid} done: {len(samples.PLAYS.splitlines()) - 1} rows, 0 rejected, N s",
    ]


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


def test_it_shows_why_a_report_failed_and_the_traceback_of_what_nobody_expected(
    service: RunningService,
) -> None:
    pid = service.client.upload(b"no,header\n")
    service.wait_for_line(f"report {pid} failed: missing_column")
    (service.home / "reports" / pid / "input.csv").unlink()
    service.client.send("POST", f"{service.client.reports_url}{pid}/retry")
    service.wait_for_line(f"report {pid} failed: internal_error")
    service.wait_for_line("FileNotFoundError")
    lines = [line for line in service.terminal() if line.startswith("small ")]
    assert f"ERROR celery.app.trace: Task bmat.taskapp.tasks.process_report[{pid}]" in lines[0]
    assert "Traceback (most recent call last):" in lines[1]
    assert "FileNotFoundError" in lines[-1]


def test_a_second_one_on_its_home_refuses_before_it_touches_anything(
    service: RunningService,
) -> None:
    logs = {path: path.stat().st_ino for path in (service.home / "logs").iterdir()}
    broker = (service.home / "broker").stat().st_ino
    pid = service.client.upload(samples.PLAYS)
    second = service.start_again(PORT=str(free_port()), FLOWER_PORT=str(free_port()))
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"make run: {service.home} is in use by another make run (process {service.process.pid}). "
        "Stop that one, or choose another folder: BMAT_HOME=FOLDER make run\n"
    )
    assert service.client.done(pid)
    assert {path: path.stat().st_ino for path in (service.home / "logs").iterdir()} == logs
    assert (service.home / "broker").stat().st_ino == broker


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


def test_it_answers_to_no_other_host(service: RunningService) -> None:
    flower = f"http://127.0.0.1:{service.flower_port}/workers"
    answers = [
        requests.get(url, headers={"Host": "evil.example"}, auth=("user", "flower"), timeout=10)
        for url in (service.client.reports_url, flower)
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert "It answers to: localhost, 127.0.0.1, [::1]. " in answers[0].json()["detail"]


def test_another_database_on_its_home_sweeps_nothing_and_says_why(
    service: RunningService, tmp_path: Path
) -> None:
    body = service.client.done(service.client.upload(samples.PLAYS))
    another = {**service.environment, "DATABASE_URL": f"sqlite:///{tmp_path}/another.sqlite3"}
    said = [manage(another, "migrate"), manage(another, "shell", "--no-imports", "-c", SWEEP_ALL)]
    why = f"The files in {service.home} belong to another database than this one"
    assert [why in text for text in said] == [True, True]
    assert "Swept(reports=0, folders=0, uploads=0" in said[1]
    assert service.client.download(body) == samples.PLAYS_TOTALS


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a command of manage.py prints, and says beside it."""
    command = [sys.executable, "manage.py", *arguments]
    ended = subprocess.run(
        command, cwd=PROJECT_FOLDER, env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout + ended.stderr


def test_nothing_of_it_is_left_where_it_is_killed_and_the_next_start_works(
    service: RunningService,
) -> None:
    pid = service.client.upload(samples.PLAYS)
    before = set(service.pids())
    os.kill(service.process.pid, signal.SIGKILL)
    wait_until(lambda: not service.process.runs(), STOP_SECONDS, "the supervisor's end")
    # It waits for what is left of the one before, whose server may answer until then.
    service.start()
    service.wait_for_line("Ctrl-C stops everything.")
    assert not before & set(service.pids())
    assert service.client.done(pid)["status"] == DONE


def test_it_stops_as_a_whole_where_one_part_ends(service: RunningService) -> None:
    service.wait_for_line("Ctrl-C stops everything.")
    os.kill(service.pid_of("beat"), signal.SIGKILL)
    service.wait_until_ended()
    assert service.process.exit_code() == 128 + signal.SIGKILL
    log = service.home / "logs" / "beat.log"
    assert service.terminal()[-1] == (
        "make run: beat ended by itself (signal 9), so everything is stopped: "
        f"see the lines above, and {log}"
    )


def test_it_shows_everything_where_that_is_asked_for(only: RunningService) -> None:
    if only.pids():
        only.stop(signal.SIGTERM)
    only.start(VERBOSE="1")
    only.wait_for_line("celery.apps.worker small@")
    pid = only.client.upload(samples.PLAYS)
    only.wait_for_line(f"INFO bmat.api.services.process report {pid}: started")
    only.stop(signal.SIGTERM)
    lines = only.terminal()
    for name in ("small", "web", "flower"):
        logged = (only.home / "logs" / f"{name}.log").read_text().splitlines()
        # An event of a report is shown in its short form.
        last = [line for line in logged if " bmat.reports " not in line][-1]
        assert f"{name:<8} | {last}" in lines
    assert sum(f"report {pid} received" in line for line in lines) == 1


@pytest.mark.parametrize("variable", ["PORT", "FLOWER_PORT"])
def test_it_names_the_setting_of_a_port_that_is_taken(tmp_path: Path, variable: str) -> None:
    service = RunningService(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = service.start_again(**{variable: str(taken.getsockname()[1])})
    assert answer.returncode == 2
    assert f"choose another port: {variable}=" in answer.stderr


def test_it_starts_nothing_with_settings_that_do_not_go_together(tmp_path: Path) -> None:
    service = RunningService(tmp_path)
    answer = service.start_again(BMAT_LEASE_SECONDS="1", BMAT_HEARTBEAT_SECONDS="1")
    assert answer.returncode == 1
    assert "(bmat.E003) BMAT_LEASE_SECONDS is 1, less than three heartbeats." in answer.stdout
    assert answer.stderr == "make run: prepare failed (exit code 1): see the lines above\n"
    logs = {path.name for path in (service.home / "logs").iterdir()}
    assert logs == {"prepare.log", "watcher.log"}
