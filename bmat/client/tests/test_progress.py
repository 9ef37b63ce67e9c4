"""What a person sees while something is under way."""

import io
import sys
from pathlib import Path

import pytest

from bmat.client import cli
from bmat.client.progress import Display, duration, printable
from bmat.client.retries import Wait
from bmat.client.tests.service import Service


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(service: Service, path: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    """What a submission shows on a terminal."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert submit(service, path, *options) == 0
    return terminal.getvalue()


def submit(service: Service, path: Path, *options: str) -> int:
    output = str(path.with_name("totals.csv"))
    return cli.main(["submit", str(path), "-o", output, "--url", service.url, *options])


def test_a_terminal_shows_bars(
    service: Service, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = shown(service, large, monkeypatch)
    for bar in ("sending:", "processing:", "receiving:"):
        assert bar in seen


def test_nobody_is_told_where_that_is_not_wanted(
    service: Service, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(service, large, monkeypatch, "--quiet") == ""


def test_a_closed_standard_error_is_no_terminal(
    service: Service, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert submit(service, small) == 0


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (90000.0, "bmat: away; trying again in 4.0 s, for 25 h more\n"),
        (float("inf"), "bmat: away; trying again in 4.0 s\n"),
    ],
)
def test_a_pause_is_a_line(left: float, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Display().on_wait(Wait("away", 4.0, left))
    assert capsys.readouterr().err == said


def test_times_are_as_exact_as_people_need_them() -> None:
    shown = [duration(seconds) for seconds in (0.25, 9.96, 61.0, 600.0, 10000.0)]
    assert shown == ["0.2 s", "10.0 s", "61 s", "10 min", "3 h"]


def test_nothing_steers_a_terminal() -> None:
    assert printable("Söng\x1b[2J\n\udcff\u202e") == r"Söng\x1b[2J\n\udcff\u202e"
