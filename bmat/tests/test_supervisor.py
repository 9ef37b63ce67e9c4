"""How `make run` starts and ends its processes, with small ones instead of the service's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmat.tests.live.processes import PROJECT_FOLDER, processes_with, wait_until

WAIT_SECONDS = 30.0
# Its arguments: BMAT_HOME, then a shell command for each process.
DRIVER = """
import os, sys
from pathlib import Path
import supervisor
from home_lock import lock_home
from output import standard_output
supervisor.END_SECONDS = float(os.environ.get("END_SECONDS", "20"))
home, *commands = sys.argv[1:]
terminal = standard_output()
lock = lock_home(Path(home), terminal.show)
with supervisor.Supervisor(terminal, Path(home) / "logs", lock, False) as running:
    for number, command in enumerate(commands):
        running.start(f"process{number}", ["/bin/sh", "-c", command], os.environ)
    try:
        ended = running.wait_for_an_end()
        ended.output.show_kept()
        code = ended.exit_code
    except supervisor.Stopped as stopped:
        code = stopped.exit_code
sys.exit(code)
"""
SLEEP = "echo started; exec sleep 600"
# Neither it nor what it has started ends when it is asked to.
STUBBORN = "trap '' TERM; sleep 600 & echo started; while :; do sleep 600; done"


class Supervised:
    """A supervisor with processes that run these shell commands."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._popen: subprocess.Popen[str] | None = None

    def start(self, *commands: str, under: str = "env", **environment: str) -> None:
        own = {"PYTHONPATH": str(PROJECT_FOLDER / "scripts"), "BMAT_HOME": str(self.home)}
        self._popen = subprocess.Popen(
            [under, sys.executable, "-c", DRIVER, str(self.home), *commands],
            env={**os.environ, **own, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def popen(self) -> "subprocess.Popen[str]":
        assert self._popen is not None, "it was not started"
        return self._popen

    def wait_until_started(self, count: int) -> None:
        """Waits until so many processes have said that they have started."""
        logs = self.home / "logs"
        wait_until(
            lambda: sum("started" in log.read_text() for log in logs.glob("*.log")) == count,
            WAIT_SECONDS,
            "the processes to start",
        )

    def end(self, how: signal.Signals | None = None) -> str:
        """Sends a signal, if one is named, and waits for the end; what was on the terminal."""
        if how is not None:
            self.popen.send_signal(how)
        printed, complaints = self.popen.communicate(timeout=WAIT_SECONDS)
        assert complaints == ""
        return printed

    def pids(self) -> list[int]:
        return processes_with("BMAT_HOME", str(self.home))


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    running = Supervised(tmp_path)
    yield running
    for pid in running.pids():
        os.kill(pid, signal.SIGKILL)
    running.popen.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_shows_in_the_exit_code(
    supervised: Supervised, how: signal.Signals
) -> None:
    supervised.start(SLEEP, SLEEP)
    supervised.wait_until_started(2)
    assert supervised.end(how) == ""
    assert supervised.popen.returncode == 128 + how
    assert supervised.pids() == []


def test_it_outlives_its_terminal_where_that_is_asked_for(supervised: Supervised) -> None:
    supervised.start(SLEEP, under="nohup")
    supervised.wait_until_started(1)
    supervised.popen.send_signal(signal.SIGHUP)
    # A signal that comes later, and is obeyed.
    supervised.end(signal.SIGTERM)
    assert supervised.popen.returncode == 143


@pytest.mark.parametrize(
    ("command", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("no-such", 127)]
)
def test_all_end_where_one_ends_by_itself(supervised: Supervised, command: str, code: int) -> None:
    supervised.start(SLEEP, command)
    supervised.end()
    assert supervised.popen.returncode == code
    assert supervised.pids() == []


def test_what_an_ended_process_leaves_behind_ends_too(supervised: Supervised) -> None:
    supervised.start("sleep 600 & exit 1")
    supervised.end()
    assert supervised.pids() == []


def test_the_leader_is_asked_first_and_may_take_its_group_with_it(supervised: Supervised) -> None:
    child = "trap 'echo asked >&2' TERM; while :; do sleep 0.1; done"
    leader = f"({child}) & child=$!; trap 'kill -9 $child; exit 0' TERM; echo started; wait"
    supervised.start(leader)
    supervised.wait_until_started(1)
    assert supervised.end(signal.SIGTERM) == ""


def test_groups_that_do_not_end_are_killed_after_a_while(supervised: Supervised) -> None:
    supervised.start(STUBBORN, END_SECONDS="0.5")
    supervised.wait_until_started(1)
    supervised.end(signal.SIGTERM)
    assert supervised.popen.returncode == 143
    assert supervised.pids() == []


def test_a_second_ctrl_c_does_not_wait(supervised: Supervised) -> None:
    supervised.start(STUBBORN, END_SECONDS="600")
    supervised.wait_until_started(1)
    supervised.popen.send_signal(signal.SIGINT)
    wait_until(
        lambda: (supervised.home / "run.lock").read_text().startswith("ending"),
        WAIT_SECONDS,
        "the supervisor to end",
    )
    supervised.end(signal.SIGINT)
    assert supervised.popen.returncode == 130
    assert supervised.pids() == []


def test_everything_ends_where_the_supervisor_is_killed(supervised: Supervised) -> None:
    supervised.start(SLEEP, SLEEP)
    supervised.wait_until_started(2)
    os.kill(supervised.popen.pid, signal.SIGKILL)
    wait_until(lambda: supervised.pids() == [], WAIT_SECONDS, "the watcher to end everything")


def test_the_home_is_locked_until_everything_has_ended(supervised: Supervised) -> None:
    supervised.start(STUBBORN)
    supervised.wait_until_started(1)
    before = set(supervised.pids())
    os.kill(supervised.popen.pid, signal.SIGKILL)
    supervised.popen.communicate()
    supervised.start("exit 0")
    assert "Waiting for the make run before this one to end" in supervised.end()
    assert not before & set(supervised.pids())


def test_everything_ends_where_the_watcher_does(supervised: Supervised) -> None:
    supervised.start(SLEEP)
    supervised.wait_until_started(1)
    watcher = next(
        pid
        for pid in supervised.pids()
        if b"watcher.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(watcher, signal.SIGKILL)
    supervised.end()
    assert supervised.popen.returncode == 137
    assert supervised.pids() == []


def test_errors_of_a_process_reach_the_terminal_and_its_banner_does_not(
    supervised: Supervised,
) -> None:
    python = f"""echo banner; {sys.executable} -c 'raise ValueError("boom")'; exec sleep 600"""
    supervised.start(f"{python}")
    log = supervised.home / "logs" / "process0.log"
    wait_until(lambda: log.exists() and "boom" in log.read_text(), WAIT_SECONDS, "the error")
    lines = supervised.end(signal.SIGTERM).splitlines()
    assert lines[0] == "process0 | Traceback (most recent call last):"
    assert lines[-1] == "process0 | ValueError: boom"
    assert log.read_text().startswith(("banner\n", "Traceback"))


def test_a_closed_terminal_disturbs_nobody(supervised: Supervised) -> None:
    supervised.start("echo started; while sleep 0.01; do echo line >&2; done")
    supervised.wait_until_started(1)
    assert supervised.popen.stdout is not None
    supervised.popen.stdout.close()
    log = supervised.home / "logs" / "process0.log"
    written = log.read_text().count("line")
    wait_until(lambda: log.read_text().count("line") > written + 20, WAIT_SECONDS, "more lines")
    supervised.popen.send_signal(signal.SIGTERM)
    assert supervised.popen.wait(WAIT_SECONDS) == 143
