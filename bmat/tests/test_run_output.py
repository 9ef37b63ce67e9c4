"""What of the service's output `make run` shows, and where all of it is kept."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.output import ProcessOutput, RotatedLog, Terminal, printable

DONE = "2026-11-28 17:13:19,473 INFO bmat.reports report 1234 done: 12 rows"
INFO = "2026-11-28 17:13:20,000 INFO celery.apps.worker small@vm ready."
WARNING = "2026-11-28 17:13:21,000 WARNING bmat.api.services.queue the broker cannot be reached"
ERROR = "2026-11-28 17:13:22,000 ERROR celery.app.trace Task raised unexpected"
TRACEBACK = [
    "    Traceback (most recent call last):",
    '      File "process.py", line 1, in work',
    "    ",
    "    ValueError: boom",
]

Lines = list[str]


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., Lines]:
    """The lines on the terminal, after a process has written some to one of its streams."""

    def show(lines: Lines, stderr: bool = True, verbose: bool = False, ends: bool = False) -> Lines:
        stream = io.StringIO()
        output = ProcessOutput("small", Terminal(stream), tmp_path / "small.log", verbose)
        taking = output.stderr() if stderr else output.stdout()
        for line in lines:
            taking.take(line)
        if ends:
            output.show_kept()
        output.close()
        return stream.getvalue().splitlines()

    return show


def test_it_shows_what_happens_to_reports(shown: Callable[..., Lines]) -> None:
    assert shown([INFO, DONE, INFO]) == ["17:13:19 report 1234 done: 12 rows"]


@pytest.mark.parametrize("record", [WARNING, ERROR])
def test_it_shows_warnings_and_errors_under_their_process(
    shown: Callable[..., Lines], record: str
) -> None:
    time, level, logger, message = record.split()[1][:8], *record.split(maxsplit=4)[2:]
    assert shown([INFO, record]) == [f"small    | {time} {level} {logger}: {message}"]


def test_it_shows_a_record_with_all_its_lines(shown: Callable[..., Lines]) -> None:
    lines = shown([ERROR, *TRACEBACK, INFO])
    assert lines[1:] == [f"small    | {line}" for line in TRACEBACK if line.strip()]


def test_it_hides_all_lines_of_a_record_that_it_does_not_show(shown: Callable[..., Lines]) -> None:
    assert shown([INFO, "    more of it", "\tand more"]) == []


def test_it_shows_what_an_interpreter_says_that_fails(shown: Callable[..., Lines]) -> None:
    lines = ["Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: boom"]
    assert shown([INFO, *lines]) == [f"small    | {line}" for line in lines]


def test_it_hides_banners(shown: Callable[..., Lines]) -> None:
    assert shown(["-------- small@vm v5.7.0", " - [tasks]"], stderr=False) == []


def test_it_shows_the_last_lines_of_a_process_that_ended(shown: Callable[..., Lines]) -> None:
    banner = [f"line {number}" for number in range(100)]
    lines = shown([*banner, INFO], stderr=False, ends=True)
    assert lines == [f"small    | line {number}" for number in range(80, 100)]


def test_it_shows_everything_once_where_that_is_asked_for(shown: Callable[..., Lines]) -> None:
    lines = shown(["banner", INFO, DONE, WARNING], stderr=False, verbose=True, ends=True)
    assert lines[:2] == ["small    | banner", f"small    | {INFO}"]
    assert [line.count("report 1234") for line in lines] == [0, 0, 1, 0]
    assert len(lines) == 4


def test_it_logs_everything(shown: Callable[..., Lines], tmp_path: Path) -> None:
    written = ["banner", "", INFO, DONE, ERROR, *TRACEBACK]
    shown(written)
    assert (tmp_path / "small.log").read_text().splitlines() == written


def test_it_lets_no_output_command_the_terminal(shown: Callable[..., Lines]) -> None:
    assert shown([WARNING + "\x1b[2J\x07\u202e"])[0].endswith(r"reached\x1b[2J\x07\u202e")
    assert printable("Größe\t12 €") == "Größe\t12 €"


def test_it_shows_how_far_a_step_is_on_a_terminal_only(tmp_path: Path) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, expected in (
        (
            Tty(),
            "Compiling kernels: 1 of 2\r\x1b[KCompiling kernels: 2 of 2\r\x1b[KKernels ready\n",
        ),
        (io.StringIO(), "Kernels ready\n"),
    ):
        output = ProcessOutput("prepare", Terminal(stream), tmp_path / "prepare.log", False)
        taking = output.stdout(is_for_people=True)
        for line in ("Compiling kernels: 1 of 2", "Compiling kernels: 2 of 2", "Kernels ready"):
            taking.take(line)
        output.close()
        assert stream.getvalue() == expected


def test_a_log_keeps_the_one_before_it(tmp_path: Path) -> None:
    for text in ("first", "second", "third"):
        log = RotatedLog(tmp_path / "web.log", pytest.fail)
        log.write(text)
        log.close()
    assert (tmp_path / "web.log").read_text() == "third\n"
    assert (tmp_path / "web.log.1").read_text() == "second\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_log_is_bounded_while_its_process_runs(tmp_path: Path) -> None:
    log = RotatedLog(tmp_path / "web.log", pytest.fail, max_bytes=100)
    for number in range(50):
        log.write(f"line {number}")
    log.close()
    kept = [(tmp_path / name).read_text() for name in ("web.log.1", "web.log")]
    assert [len(text) <= 100 for text in kept] == [True, True]
    assert "".join(kept).splitlines()[-1] == "line 49"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_log_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    told: Lines = []
    log = RotatedLog(tmp_path / "logs" / "web.log", told.append)
    log.write("lost")
    log.write("lost")
    assert len(told) == 1
    assert "web.log cannot be written: " in told[0]
