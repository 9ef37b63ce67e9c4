"""Starts processes, follows their output, and ends all of them when one ends or is told to.

Each process leads a session and a group of its own: a Ctrl-C in the terminal reaches the supervisor
alone. A watcher (watcher.py) ends them where the supervisor cannot, `kill -9` included.
"""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import IO, Any, cast

from home_lock import mark_ending
from output import OutputStream, ProcessOutput, Terminal

# An idle worker takes about 7 s to end in order on the filesystem broker.
END_SECONDS = 20.0
READER_SECONDS = 5.0
POLL_SECONDS = 0.1
LINE_BYTES = 65536
WATCHER = "watcher"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The process begins once the watcher has heard of it: if the supervisor dies before that, `read`
# finds the end of its input, and nothing begins.
WAIT_THEN_RUN = 'read -r go && exec "$@" < /dev/null'


class Stopped(Exception):
    """The supervisor was told to stop by `signal_number`."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.exit_code = 128 + signal_number


@dataclass(frozen=True)
class Ended:
    """A process that has ended. `exit_code` is 128 and the signal's number where one ended it."""

    name: str
    exit_code: int
    output: ProcessOutput


@dataclass
class Process:
    """A process that runs, or has just ended."""

    name: str
    popen: "subprocess.Popen[bytes]"
    output: ProcessOutput
    readers: list[threading.Thread] = field(default_factory=list)


class Supervisor:
    """The processes of one service. A `with` block in whose end all of them end, in order: the
    leaders are asked first, and after `END_SECONDS` whole groups are killed. (A Celery worker whose
    pool ends under its hands would wait for it in vain.)

    `lock` is the file descriptor of the lock on BMAT_HOME, which the watcher inherits.
    """

    def __init__(self, terminal: Terminal, logs: Path, lock: int, verbose: bool) -> None:
        self._terminal = terminal
        self._logs = logs
        self._lock = lock
        self._verbose = verbose
        self._events: SimpleQueue[Ended | int] = SimpleQueue()
        self._running: dict[str, Process] = {}

    def __enter__(self) -> "Supervisor":
        for number in STOP_SIGNALS:
            # `nohup make run` is meant to outlive its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        self._start_watcher()
        return self

    def __exit__(self, *_: object) -> None:
        mark_ending(self._lock)
        self._end_all()
        watcher = self._running.pop(WATCHER, None)
        if watcher is not None:
            assert watcher.popen.stdin is not None
            watcher.popen.stdin.close()
            watcher.popen.wait()
            self._finish_output(watcher)

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        shows_output: bool = False,
    ) -> None:
        """Starts a process in the current folder, with nothing to read on its standard input. With
        `shows_output`, what it prints on its standard output is for the person who waits for it.
        """
        waiting = ["/bin/sh", "-c", WAIT_THEN_RUN, name, *command]
        process = self._popen(name, waiting, environment, shows_output=shows_output)
        self._tell_watcher("+", process)
        assert process.popen.stdin is not None
        try:
            process.popen.stdin.write(b"go\n")
            process.popen.stdin.close()
        except BrokenPipeError:
            pass  # It was killed already, and its end is one of the events.

    def wait_for_an_end(self) -> Ended:
        """Waits until a process has ended, with what it had started. Raises `Stopped`."""
        return self._taken(self._events.get())

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> Ended | None:
        """Asks until `condition` holds, for so many seconds at most. A process that ends before
        that. Raises `Stopped`.
        """
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            try:
                return self._taken(self._events.get(timeout=POLL_SECONDS))
            except Empty:
                pass
        return None

    def _taken(self, event: Ended | int) -> Ended:
        if isinstance(event, int):
            raise Stopped(event)
        self._forget(event.name)
        return event

    def _start_watcher(self) -> None:
        # Without `site`, it starts in a few milliseconds.
        command = [sys.executable, "-S", str(Path(__file__).with_name("watcher.py"))]
        self._popen(WATCHER, [*command, str(self._lock)], os.environ, [self._lock])

    def _popen(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        inherited: Sequence[int] = (),
        shows_output: bool = False,
    ) -> Process:
        popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=inherited,
        )
        assert popen.stdout is not None and popen.stderr is not None
        output = ProcessOutput(name, self._terminal, self._logs / f"{name}.log", self._verbose)
        process = self._running[name] = Process(name, popen, output)
        for pipe, stream in (
            (popen.stdout, output.stdout(is_for_people=shows_output)),
            (popen.stderr, output.stderr()),
        ):
            process.readers.append(_thread(follow, pipe, stream))
        _thread(self._report_end, process)
        return process

    def _report_end(self, process: Process) -> None:
        code = process.popen.wait()
        self._events.put(Ended(process.name, 128 - code if code < 0 else code, process.output))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # This queue may be used in a signal handler, even where the handler interrupts its `get`.
        self._events.put(number)

    def _tell_watcher(self, sign: str, process: Process) -> None:
        watcher = self._running.get(WATCHER)
        if watcher is None:
            return
        assert watcher.popen.stdin is not None
        try:
            watcher.popen.stdin.write(f"{sign}{process.popen.pid}\n".encode())
        except BrokenPipeError:
            pass  # Its end is one of the events.

    def _forget(self, name: str) -> None:
        """Kills what an ended process has left of its group, and waits for its last lines."""
        process = self._running.pop(name)
        kill_group(process)
        if name != WATCHER:
            self._tell_watcher("-", process)
        self._finish_output(process)

    def _finish_output(self, process: Process) -> None:
        for reader in process.readers:
            # Something that has left the group may still hold the pipe.
            reader.join(READER_SECONDS)
        process.output.close()

    def _end_all(self) -> None:
        deadline = time.monotonic() + END_SECONDS
        for name, process in self._running.items():
            if name != WATCHER:
                process.popen.send_signal(signal.SIGTERM)
        while any(name != WATCHER for name in self._running):
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                self._kill_all()
                return
            if isinstance(event, Ended):
                self._forget(event.name)
            elif event == signal.SIGINT:
                # Whoever presses Ctrl-C once more does not want to wait.
                self._kill_all()
                return

    def _kill_all(self) -> None:
        for name in [name for name in self._running if name != WATCHER]:
            kill_group(self._running[name])
            self._running[name].popen.wait()
            self._forget(name)


def follow(pipe: IO[bytes], stream: OutputStream) -> None:
    """Hands the lines of a pipe on until everybody has closed it."""
    with io.BufferedReader(cast(io.RawIOBase, pipe)) as lines:
        while line := lines.readline(LINE_BYTES):
            stream.take(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))


def kill_group(process: Process) -> None:
    """Kills a process and what is left of its group, if anything is."""
    try:
        os.killpg(process.popen.pid, signal.SIGKILL)
    # macOS does not permit it where all that is left waits to be collected.
    except (ProcessLookupError, PermissionError):
        pass


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread
