"""What a person sees while something is under way, bars on a terminal and a line for each pause;
and what is said of an error that ends it.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from bmat.client.errors import FAILED, ApiError, ClientError, ReportCancelled, ReportFailed
from bmat.client.reports import Report
from bmat.client.retries import Wait

LONG_SECONDS = 120
HOUR_SECONDS = 3600


class Display:
    """Writes to standard error; with `quiet`, nothing but errors. With `is_json` errors are JSON on
    standard output, too.
    """

    def __init__(self, quiet: bool = False, is_json: bool = False) -> None:
        self._quiet = quiet
        self._is_json = is_json

    def say(self, text: str) -> None:
        """A line that stays."""
        if not self._quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """A line about what is wrong."""
        if sys.stderr is not None:
            tqdm.write(f"bmat: {printable(text)}", file=sys.stderr)

    def tell(self, error: ClientError | OSError, where: str = "") -> int:
        """Say what is wrong, and where, if that is not in the error; the exit code."""
        in_front = f"{where}: " if where else ""
        if isinstance(error, OSError):
            text = f"{error.filename}: {error.strerror}" if error.filename else f"{in_front}{error}"
            code, exit_code = "os_error", FAILED
        else:
            text, code, exit_code = f"{in_front}{error}", error.code, error.exit_code
        self.complain(text)
        fields = error.fields if isinstance(error, ApiError) else {}
        for name, texts in fields.items():
            self.complain(f"  {name}: {' '.join(texts)}")
        if self._is_json and isinstance(error, ReportFailed | ReportCancelled):
            print(json.dumps(error.report, ensure_ascii=False))
        elif self._is_json:
            told = {"code": code, "message": text, "fields": fields}
            print(json.dumps({"error": told}, ensure_ascii=False))
        return exit_code

    def on_wait(self, wait: Wait) -> None:
        limit = ""
        if wait.gives_up_in_seconds != float("inf"):
            limit = f", for {duration(wait.gives_up_in_seconds)} more"
        self.say(f"{wait.reason}; trying again in {duration(wait.seconds)}{limit}")

    @contextmanager
    def sending(self, paths: list[Path]) -> Iterator[Callable[[Path, int], None]]:
        """A bar of the bytes that have arrived."""
        arrived = dict.fromkeys(map(str, paths), 0)
        total = sum(os.path.getsize(path) for path in paths if path.exists())
        with self._bar("sending", total) as bar:

            def show(path: Path, count: int) -> None:
                arrived[str(path)] = count
                bar.update(sum(arrived.values()) - bar.n)

            yield show

    @contextmanager
    def receiving(self) -> Iterator[Callable[[int, int | None], None]]:
        """A bar of the bytes that are here."""
        with self._bar("receiving", None) as bar:

            def show(here: int, total: int | None) -> None:
                bar.total = total
                bar.update(here - bar.n)

            yield show

    @contextmanager
    def processing(self) -> Iterator[Callable[[Report], None]]:
        """A bar of how far the report is."""
        shape = "{l_bar}{bar}| {elapsed}"
        with tqdm(
            total=100, desc="processing", disable=self._hides_bars, leave=False, bar_format=shape
        ) as bar:

            def show(report: Report) -> None:
                bar.set_description(report["stage"] or report["state"], refresh=False)
                bar.update(100 * report["progress"] - bar.n)

            yield show

    def _bar(self, what: str, total: int | None) -> "tqdm[NoReturn]":
        return tqdm(
            total=total,
            desc=what,
            disable=self._hides_bars,
            leave=False,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
        )

    @property
    def _hides_bars(self) -> bool | None:
        """None: they are shown on a terminal. A closed standard error is none."""
        return True if self._quiet or sys.stderr is None else None


def printable(text: str) -> str:
    """The text on one line, and without what would steer a terminal: it may be anybody's."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def duration(seconds: float) -> str:
    if seconds < LONG_SECONDS:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 2 * HOUR_SECONDS:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR_SECONDS:.0f} h"
