"""Real processes for the live tests: started, waited for, stopped, their output kept."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[3]
POLL_SECONDS = 0.05
STOP_SECONDS = 15.0
TAIL_BYTES = 6000

# Below the range that the system hands out to outgoing connections, which could take a port again.
PORT_RANGE = (20000, 32000)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    while True:
        port = random.randint(*PORT_RANGE)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def wait_until(
    condition: Callable[[], bool], seconds: float, what: str, details: Callable[[], str] = str
) -> None:
    """Ask until `condition` holds; fails after `seconds` with `what` it was, and the `details`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}\n{details()}"
        time.sleep(POLL_SECONDS)


def processes_with(variable: str, value: str) -> list[int]:
    """The pids of all processes that were started with `variable=value` in their environment."""
    wanted = f"{variable}={value}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # It ended meanwhile, or belongs to another user.
        if wanted in environment:
            found.append(int(folder.name))
    return found


class ServerProcess:
    """One program in a session of its own, so that whatever it started can be ended with it."""

    def __init__(self, name: str, command: Sequence[str], log_folder: Path) -> None:
        self.name = name
        self.command = list(command)
        self.log_path = log_folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str], user: str | None = None) -> None:
        """Start the program; as another `user` where one is named (only root may)."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=PROJECT_FOLDER if user is None else "/",
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                extra_groups=None if user is None else [],
            )

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def wait_until_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` holds; fails with the log, at once where the program ends."""

        wait_until(
            lambda: self._ended() or ready(), seconds, f"{self.name} to be ready", self.log_tail
        )
        assert not self._ended(), f"{self.name} ended at its start\n{self.log_tail()}"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the program with `how`, or after a while by force, and all of its session."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(STOP_SECONDS)
        self._process = None

    def kill(self) -> None:
        """End the program and all that it started at once, as the crash of a container would."""
        self.signal_all(signal.SIGKILL)
        self.stop(signal.SIGKILL)

    def signal_all(self, how: signal.Signals) -> None:
        """Send `how` to the program and to all that it started."""
        os.killpg(self.pid, how)

    def runs(self) -> bool:
        return not self._ended()

    def exit_code(self) -> int | None:
        """The exit code, None while the program runs; negative where a signal ended it."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.poll()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self) -> str:
        return self.log()[-TAIL_BYTES:]

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None
