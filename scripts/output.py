"""What the processes of `make run` print: all of it goes into log files, and what a person should
see goes to the terminal, too.
"""

import io
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, TextIO

LOG_BYTES = 10_000_000
# How much of what is not shown is kept, to be shown where its process ends by itself.
KEPT_LINES = 20
NAME_WIDTH = 8

# A log record's first line, as config/logs.py writes it. Its other lines are indented.
RECORD = re.compile(r"\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d),\d{3} ([A-Z]+) (\S+) (.*)")
# Of scripts/prepare.py: how far it is.
PROGRESS = re.compile(r"[A-Z][a-z ]+: \d+ of \d+")
SHOWN_LEVELS = ("WARNING", "ERROR", "CRITICAL")
# Of bmat/api/services/leases.py.
REPORTS_LOGGER = "bmat.reports"


class Terminal:
    """The standard output, line by line, for any number of threads. Once it is closed, nothing is
    shown any more, and nobody is disturbed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._is_open = True
        self._has_progress = False

    def show(self, line: str) -> None:
        """Prints one line."""
        self._write(printable(line) + "\n", is_progress=False)

    def show_progress(self, text: str) -> None:
        """Prints a line that the next one replaces; nothing where this is no terminal but a file or
        a pipe.
        """
        if self._stream.isatty():
            self._write(printable(text), is_progress=True)

    def _write(self, text: str, is_progress: bool) -> None:
        with self._lock:
            if not self._is_open:
                return
            # Back to the line's start, and clear to its end.
            start = "\r\x1b[K" if self._has_progress else ""
            self._has_progress = is_progress
            try:
                self._stream.write(start + text)
                self._stream.flush()
            except OSError:
                self._is_open = False
                # Python itself flushes the stream once more when it ends.
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


class RotatedLog:
    """A log file that is begun anew at every start, and whenever it is full. The one before it
    stays as `NAME.log.1`: both together hold at most twice `max_bytes`. Where it cannot be written,
    `tell` is told once, and the lines are lost.
    """

    def __init__(self, path: Path, tell: Callable[[str], None], max_bytes: int = LOG_BYTES) -> None:
        self.path = path
        self._tell = tell
        self._max_bytes = max_bytes
        self._size = 0
        self._file: IO[bytes] | None = None
        self._has_told = False
        self._append(b"")

    def write(self, line: str) -> None:
        """Appends the line."""
        self._append(line.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, data: bytes) -> None:
        try:
            if self._file is None or self._size and self._size + len(data) > self._max_bytes:
                self.close()
                self._file = self._begin()
            self._file.write(data)
            self._size += len(data)
            self._has_told = False
        except OSError as error:
            if not self._has_told:
                self._tell(f"{self.path} cannot be written: {error.strerror}")
            self._has_told = True

    def _begin(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            os.replace(self.path, self.path.with_name(f"{self.path.name}.1"))
        self._size = 0
        return self.path.open("wb", buffering=0)


class ProcessOutput:
    """Decides about the lines of one process. Shown are the events of reports, warnings, errors,
    and what is written to the standard error without being a log record, such as the traceback of
    an interpreter that ends; with `verbose`, everything is.
    """

    def __init__(self, name: str, terminal: Terminal, log_path: Path, verbose: bool) -> None:
        self.name = name
        self.log_path = log_path
        self._terminal = terminal
        self._verbose = verbose
        self._lock = threading.Lock()
        self._log = RotatedLog(log_path, terminal.show)
        self._not_shown: deque[str] = deque(maxlen=KEPT_LINES)

    def stdout(self, is_for_people: bool = False) -> "OutputStream":
        """The standard output: banners and the like, unless it is written for people."""
        return OutputStream(self, self.unchanged if is_for_people else None)

    def stderr(self) -> "OutputStream":
        """The standard error."""
        return OutputStream(self, self.prefixed)

    def take(self, line: str, shown: str | None, keep: bool) -> None:
        """Logs a line, and shows it as `shown` unless that is None; it may be kept for later."""
        with self._lock:
            self._log.write(line)
            if shown is None and keep:
                self._not_shown.append(line)
        if shown is not None:
            self._terminal.show(shown)
        elif self._verbose:
            self._terminal.show(self.prefixed(line))

    def take_progress(self, line: str) -> None:
        """Shows how far the process is, until the next line is shown. It is not logged."""
        self._terminal.show_progress(line)

    def show_kept(self) -> None:
        """Shows the last lines outside of log records that were not: their process has ended."""
        with self._lock:
            kept = [] if self._verbose else list(self._not_shown)
            self._not_shown.clear()
        for line in kept:
            self._terminal.show(self.prefixed(line))

    @staticmethod
    def unchanged(text: str) -> str:
        return text

    def prefixed(self, text: str) -> str:
        """The text, under the name of its process."""
        return f"{self.name:<{NAME_WIDTH}} | {text}"

    def close(self) -> None:
        with self._lock:
            self._log.close()


class OutputStream:
    """The standard output or the standard error of one process. `as_shown` makes what the terminal
    shows of a line outside of log records; None where such lines are not shown.
    """

    def __init__(self, output: ProcessOutput, as_shown: Callable[[str], str] | None) -> None:
        self._output = output
        self._as_shown = as_shown
        # Of the entry that the last line belongs to.
        self._is_shown = False
        self._is_record = False

    def take(self, line: str) -> None:
        """Takes the next line, without its end."""
        if PROGRESS.fullmatch(line):
            self._output.take_progress(line)
            return
        record = RECORD.fullmatch(line)
        shown: str | None = None
        if record is not None:
            time, level, logger, message = record.groups()
            self._is_record = True
            self._is_shown = level in SHOWN_LEVELS
            if logger == REPORTS_LOGGER:
                shown = f"{time} {message}"
            elif self._is_shown:
                shown = self._output.prefixed(f"{time} {level} {logger}: {message}")
        else:
            if not line[:1].isspace():
                self._is_record = False
                self._is_shown = self._as_shown is not None
            if self._is_shown and line.strip():
                shown = (self._as_shown or self._output.prefixed)(line)
        self._output.take(line, shown, keep=not self._is_record and line.strip() != "")


def printable(line: str) -> str:
    """The line without anything that a terminal would take for a command.

    >>> printable("a\\x1b[2Jb\\tc")
    'a\\\\x1b[2Jb\\tc'
    """
    if line.isprintable():
        return line
    return "".join(
        letter if letter.isprintable() or letter == "\t" else repr(letter)[1:-1] for letter in line
    )


def standard_output() -> Terminal:
    """The terminal of this process. What its encoding has not is written as an escape."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Terminal(sys.stdout)
