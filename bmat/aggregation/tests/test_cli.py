"""The command line."""

import argparse
import os
import pty
import runpy
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import Options, Summary, cli
from bmat.aggregation.options import OPTION_NAMES
from bmat.aggregation.tests.running import HEADER, TOTALS_HEADER

COMMAND = [sys.executable, "-m", "bmat.aggregation"]


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    path = tmp_path / "plays.csv"
    path.write_bytes(HEADER + b"a,2020-01-01,1000\na,2020-01-01,1\n" + b"b,2020-01-01,0\n" * 20)
    return path


def test_it_writes_totals_and_rejects_and_a_summary_line(plays: Path, tmp_path: Path) -> None:
    out, rejects = tmp_path / "out.csv", tmp_path / "rejects.csv"
    plays.write_bytes(plays.read_bytes() + b"bad\n")
    command = [*COMMAND, str(plays), "-o", str(out), "--rejects", str(rejects)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert out.read_bytes() == TOTALS_HEADER + b"a,2020-01-01,1001\nb,2020-01-01,0\n"
    assert rejects.read_bytes() == b"Line,Reason,Record\n24,missing_field,bad\n"
    assert done.stderr == ""
    assert done.stdout.startswith(
        "23 rows read = 22 counted + 1 rejected; 2 totals of 1,001 plays in "
    )


def test_it_tells_of_rows_that_were_left_out() -> None:
    summary = Summary(
        rows_read=1300, rows_counted=1, rows_rejected=2, rows_left_out=1297, groups=1, plays_total=5
    )
    assert cli.summary_line(summary, 0.125) == (
        "1,300 rows read = 1 counted + 2 rejected + 1,297 left out; 1 totals of 5 plays in 0.12 s"
    )


def test_warnings_are_told_one_a_line(
    plays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Most rows are rejected, and the one that is not is of a day far ahead.
    plays.write_bytes(HEADER + b"bad\nbad\na,9999-12-31,1\n")
    assert cli.main([str(plays), "-o", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert [line[:15] for line in told.err.splitlines()] == ["bmat: warning: "] * 2
    assert told.out.startswith("3 rows read = 1 counted + 2 rejected; ")


def test_it_shows_how_each_input_would_be_read(
    plays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(b"x;2020-01-01;7\n")
    assert cli.main(["--inspect", str(plays), str(other)]) == 0
    told = capsys.readouterr().out
    assert told.index(str(plays)) < told.index(str(other))
    assert "line 2: 'a' on 2020-01-01: 1000" in told
    assert "line 1: 'x' on 2020-01-01: 7" in told
    assert set(tmp_path.iterdir()) == {plays, other}


def test_without_an_output_it_says_what_is_missing(
    plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(plays)])
    assert ended.value.code == cli.MISUSED
    assert "-o/--output" in capsys.readouterr().err


def test_it_takes_options_of_the_file_and_of_the_machine(plays: Path, tmp_path: Path) -> None:
    plays.write_bytes("Lied^Tag^Anzahl\né^2020-01-01^1\n".encode("cp1252"))
    given = "--song-column Lied --date-column Tag --plays-column Anzahl --delimiter ^ "
    given += "--encoding cp1252 --strict --threads 1 --memory 64MiB --block-bytes 4k"
    words = [*given.split(), "--temp-folder", str(tmp_path)]
    assert cli.main([str(plays), "-o", str(tmp_path / "out"), *words]) == 0
    assert (tmp_path / "out").read_bytes() == TOTALS_HEADER + "é,2020-01-01,1\n".encode()


EVERY_OPTION: dict[str, Any] = {
    "preset": "default",
    "song_column": "Lied",
    "artist_column": "Von",
    "isrc_column": "Code",
    "territory_column": "Land",
    "service_column": "Dienst",
    "date_column": "Tag",
    "plays_column": "Anzahl",
    "group_by": "song,artist",
    "delimiter": "^",
    "encoding": "cp1252",
    "date_format": "dmy",
    "thousands": "'",
    "quoting": "none",
    "header_line": 3,
    "plays": "column",
    "sheet": "Januar",
    "strict": True,
}


def test_each_option_of_the_engine_is_one_of_the_command_line() -> None:
    assert tuple(EVERY_OPTION) == OPTION_NAMES
    words = ["in.csv", "-o", "out.csv", "--strict"]
    for name, value in EVERY_OPTION.items():
        words += [f"--{name.replace('_', '-')}={value}"] if name != "strict" else []
    assert cli.options_of(cli.parser().parse_args(words)) == Options(**EVERY_OPTION)


def test_an_option_that_is_not_given_is_the_engines_own() -> None:
    wanted = cli.parser().parse_args(["in.csv", "-o", "out.csv"])
    assert cli.options_of(wanted) == Options()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--delimiter", "-"], "delimiter"),
        (["--group-by", "song,song"], "group_by"),
        (["--header-line", "0"], "header_line"),
        (["--threads", "0"], "threads"),
        (["--encoding", "klingon"], "klingon"),
    ],
)
def test_an_option_that_cannot_be_followed_exits_with_2(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["in.csv", "-o", "out.csv", *words]) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--strcit"],
        # No abbreviations: the next option could make one ambiguous.
        ["--head", "4"],
        ["--header-line", "four"],
        ["--date-format", "american"],
        ["--preset", "nothing"],
    ],
)
def test_an_option_that_is_none_exits_with_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="^2$"):
        cli.main(["in.csv", "-o", "out.csv", *words])
    assert words[0] in capsys.readouterr().err


def test_a_fatal_error_is_told_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()
    assert cli.main([str(tmp_path / "empty"), "-o", str(tmp_path / "out")]) == 1
    text = "The file is empty: it needs a header and at least one record."
    assert capsys.readouterr().err == f"bmat: {tmp_path}/empty: {text}\n"
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_whole_run_names_no_file(
    plays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plays.write_bytes(HEADER + b"bad\n")
    assert cli.main([str(plays), "-o", str(tmp_path / "out")]) == 1
    first, advice = capsys.readouterr().err.splitlines()
    assert first.startswith("bmat: Not one row could be counted: ")
    assert advice.startswith("bmat: missing_field: The record ends before a column that is read: ")


def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(tmp_path / "none.csv"), "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == f"bmat: {tmp_path}/none.csv: No such file or directory\n"


def test_ctrl_c_exits_with_130(
    plays: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bmat.aggregation.run.aggregate", interrupt)
    assert cli.main([str(plays), "-o", "out"]) == 130
    assert capsys.readouterr().err == "bmat: Interrupted: nothing was written.\n"


def test_a_terminal_gets_a_progress_bar(plays: Path, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    command = [*COMMAND, str(plays), "-o", str(tmp_path / "out")]
    subprocess.run(command, stderr=terminal, stdout=subprocess.DEVNULL, check=True)
    assert b"%|" in os.read(controller, 10_000)
    os.close(terminal)
    os.close(controller)


@pytest.mark.parametrize(
    ("text", "size"), [("7", 7), ("4k", 4096), ("1 MiB", 2**20), ("2GB", 2**31), ("1t", 2**40)]
)
def test_it_reads_sizes(text: str, size: int) -> None:
    assert cli.size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "x", "1.5G", "-1", "5 bananas"])
def test_a_size_that_is_none_is_an_error(text: str) -> None:
    advice = "is no size: write it like 800000, 512MiB or 1GiB"
    with pytest.raises(argparse.ArgumentTypeError, match=advice):
        cli.size_in_bytes(text)


def test_it_tells_what_is_wrong_with_a_size(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="^2$"):
        cli.main(["in.csv", "-o", "out.csv", "--memory", "5x"])
    assert "'5x' is no size: write it like" in capsys.readouterr().err


def test_it_names_a_folder_that_is_not_there(
    plays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(plays), "-o", str(tmp_path / "not there" / "out.csv")]) == 1
    assert capsys.readouterr().err == f"bmat: {tmp_path}/not there: No such file or directory\n"


def test_it_tells_of_an_error_that_is_about_no_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("A temporary file has become shorter.")

    monkeypatch.setattr("bmat.aggregation.run.aggregate", fail)
    assert cli.main(["in.csv", "-o", "out.csv"]) == 1
    assert capsys.readouterr().err == "bmat: A temporary file has become shorter.\n"


def test_it_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bmat", "--help"])
    with pytest.raises(SystemExit, match="^0$"):
        runpy.run_module("bmat.aggregation", run_name="__main__")


def test_every_option_has_a_help_text() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    for action in cli.parser()._actions:
        assert action.help
        assert all(option in done.stdout for option in action.option_strings)


@pytest.mark.parametrize(("size", "is_little"), [(4096, True), (4097, False)])
def test_a_few_rows_are_read_without_the_compiler(
    tmp_path: Path, size: int, is_little: bool
) -> None:
    (tmp_path / "in.csv").write_bytes(b"x" * size)
    assert cli.is_small([tmp_path / "in.csv"]) is is_little


def test_of_a_stream_nobody_knows_whether_it_is_small() -> None:
    assert not cli.is_small([Path("-")])


def test_it_takes_no_compiler_to_say_that_a_file_is_not_there(tmp_path: Path) -> None:
    assert cli.is_small([tmp_path / "none.csv"])


def test_without_arguments_it_takes_those_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.csv").write_text("Song,Date,Number of Plays\nsong,2020-01-01,1\n")
    output = tmp_path / "out.csv"
    # So it is left as it is.
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    monkeypatch.setattr("sys.argv", ["bmat", str(tmp_path / "in.csv"), "-o", str(output)])
    assert cli.main() == 0
    assert output.read_text().endswith("song,2020-01-01,1\n")
