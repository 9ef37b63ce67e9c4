"""What the command line writes to, and what it leaves alone."""

import os
import pty
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, aggregate, cli
from bmat.aggregation.source.origin import looked_at
from bmat.aggregation.tests.running import HEADER, TOTALS_HEADER, names_in
from bmat.aggregation.write.files import descriptor_of, is_stream, refuse_shared_paths

COMMAND = [sys.executable, "-m", "bmat.aggregation"]
PLAYS = HEADER + b"a,2020-01-01,1000\na,2020-01-01,1\n"
TOTALS = TOTALS_HEADER + b"a,2020-01-01,1001\n"
SUMMARY = b"2 rows read = 2 counted + 0 rejected; 1 totals of 1,001 plays in "


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    path = tmp_path / "plays.csv"
    path.write_bytes(PLAYS)
    return path


def run(*words: object) -> "subprocess.CompletedProcess[bytes]":
    """Runs the command line in a process of its own; what it prints is in the result."""
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, check=False)


def run_in_shell(command: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    """Runs a shell's command line, in which `bmat` is ours, in a folder."""
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    words = [
        "bash",
        "-c",
        f'set -o pipefail; bmat() {{ "{sys.executable}" -m bmat.aggregation "$@"; }}; {command}',
    ]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False)


def refusal(inputs: list[Path], output: Path, **outputs: Path) -> str:
    """The text with which a run is refused, before it has read or written anything."""
    before = {path: path.read_bytes() for path in inputs if path.is_file()}
    with pytest.raises(AggregationError) as caught:
        aggregate(inputs, output, **outputs)  # type: ignore[arg-type]
    assert caught.value.code == "invalid_option"
    assert {path: path.read_bytes() for path in before} == before
    return caught.value.message


def test_an_output_is_no_input(plays: Path) -> None:
    text = f"The option output cannot be '{plays}': it is the same file as the input '{plays}'."
    assert refusal([plays], plays) == text


def test_an_output_is_no_second_input(plays: Path, tmp_path: Path) -> None:
    assert "the input" in refusal([plays, tmp_path / "not there.csv"], tmp_path / "not there.csv")


def test_an_output_is_no_input_through_a_symbolic_link(plays: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(plays)
    assert "the same file as the input" in refusal([plays], tmp_path / "link")
    assert "the same file as the input" in refusal([tmp_path / "link"], plays)


def test_an_output_is_no_input_through_a_hard_link(plays: Path, tmp_path: Path) -> None:
    (tmp_path / "link").hardlink_to(plays)
    assert "the same file as the input" in refusal([plays], tmp_path / "link")


def test_an_output_is_no_input_through_a_linked_folder(plays: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").symlink_to(tmp_path)
    assert "the same file as the input" in refusal([plays], tmp_path / "folder" / "plays.csv")


@pytest.mark.parametrize("option", ["rejects", "summary_file"])
def test_no_two_outputs_are_one_file(plays: Path, tmp_path: Path, option: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out")
    text = refusal([plays], tmp_path / "out", **{option: tmp_path / "link"})
    assert text.endswith("it is the same file as the option output.")


def test_two_new_outputs_that_differ_in_case_are_refused(plays: Path, tmp_path: Path) -> None:
    refusal([plays], tmp_path / "out.csv", rejects=tmp_path / "OUT.csv")


def test_no_two_outputs_are_standard_output(plays: Path) -> None:
    done = run(plays, "-o", "-", "--rejects", "/dev/fd/1")
    assert done.returncode == 2
    assert b"the same file as the option output" in done.stderr
    assert done.stdout == b""


def test_a_redirected_input_is_no_output(plays: Path, tmp_path: Path) -> None:
    done = run_in_shell("bmat - -o plays.csv < plays.csv", tmp_path)
    assert (done.returncode, plays.read_bytes()) == (2, PLAYS)
    assert b"the same file as the input '-'" in done.stderr


def test_several_outputs_may_go_nowhere(plays: Path) -> None:
    nowhere = Path(os.devnull)
    refuse_shared_paths([plays], {"output": nowhere, "rejects": nowhere, "summary": None})
    assert is_stream(nowhere)


@pytest.mark.parametrize(
    ("path", "descriptor"),
    [("/dev/stdout", 1), ("/dev/stderr", 2), ("-", 1), ("/proc/self/fd/7", 7)],
)
def test_it_tells_the_descriptor_behind_a_path(path: str, descriptor: int) -> None:
    assert descriptor_of(Path(path)) == descriptor
    assert is_stream(Path(path))


@pytest.mark.parametrize("name", ["-", "/dev/fd/1"])
def test_totals_go_to_standard_output_and_the_summary_beside(plays: Path, name: str) -> None:
    done = run(plays, "-o", name)
    assert done.stdout == TOTALS
    assert done.stderr.startswith(SUMMARY)


def test_rejects_may_go_to_standard_error(plays: Path, tmp_path: Path) -> None:
    plays.write_bytes(PLAYS + b"bad\n")
    done = run(plays, "-o", tmp_path / "out", "--rejects", "/dev/fd/2")
    assert done.stderr.startswith(b"Line,Reason,Record\n4,missing_field,bad\n")


def test_standard_output_is_appended_to_what_is_in_its_file(tmp_path: Path, plays: Path) -> None:
    (tmp_path / "log").write_bytes(b"before\n")
    assert run_in_shell("bmat plays.csv -o /dev/fd/1 >> log", tmp_path).returncode == 0
    assert (tmp_path / "log").read_bytes() == b"before\n" + TOTALS


def test_a_fifo_is_written_into(plays: Path, tmp_path: Path) -> None:
    fifo, read = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()), daemon=True)
    reader.start()
    aggregate([plays], fifo)
    reader.join(60)
    assert read == [TOTALS]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_device_is_written_into_through_a_link(plays: Path, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    (tmp_path / "device").symlink_to(os.ttyname(terminal))
    aggregate([plays], tmp_path / "device")
    assert os.read(controller, 10_000) == TOTALS.replace(b"\n", b"\r\n")
    assert (tmp_path / "device").is_symlink()
    os.close(terminal)
    os.close(controller)


def test_a_symbolic_link_is_followed(plays: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "totals.csv", tmp_path / "link"
    link.symlink_to(target)
    for _ in range(2):
        aggregate([plays], link)
        assert link.is_symlink()
        assert target.read_bytes() == TOTALS
    assert names_in(tmp_path / "elsewhere") == ["totals.csv"]


def test_an_existing_file_keeps_its_mode(plays: Path, tmp_path: Path) -> None:
    (tmp_path / "out").touch(mode=0o640)
    (tmp_path / "out").chmod(0o604)
    aggregate([plays], tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o604


def test_a_file_that_may_not_be_written_is_not_replaced(
    plays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").write_bytes(b"kept")
    # Root may write to every file.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError):
        aggregate([plays], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"kept"


@pytest.mark.parametrize("option", ["output", "rejects"])
def test_a_folder_that_is_not_there_is_told_before_reading(tmp_path: Path, option: str) -> None:
    outputs = {"output": tmp_path / "out", option: tmp_path / "none" / "out"}
    with pytest.raises(FileNotFoundError, match="none'$"):
        aggregate([tmp_path / "never read"], **outputs)  # type: ignore[arg-type]


def test_a_reader_that_goes_before_the_end_is_no_traceback(plays: Path, tmp_path: Path) -> None:
    plays.write_bytes(HEADER + b"".join(b"%d,2020-01-01,1\n" % song for song in range(50_000)))
    done = run_in_shell("bmat plays.csv -o - | head -n 1", tmp_path)
    assert (done.returncode, done.stdout) == (1, TOTALS_HEADER)
    assert done.stderr == b"bmat: -: Broken pipe\n"


@pytest.mark.parametrize("end", ["| true", ">&-", "2>&-", "<&-", "> /dev/full"])
def test_nobody_who_reads_the_summary_is_no_fault_of_the_result(
    plays: Path, tmp_path: Path, end: str
) -> None:
    # The reader of a pipe has to be gone by the time the line is printed.
    done = run_in_shell(f"{{ sleep 0.2; bmat plays.csv -o out; }} {end}", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out").read_bytes() == TOTALS


@pytest.mark.parametrize("words", ["- -o out <&-", "plays.csv -o - >&-", "- -o - <&- >&-"])
def test_a_closed_standard_stream_that_is_needed_is_told(
    plays: Path, tmp_path: Path, words: str
) -> None:
    done = run_in_shell(f"bmat {words}", tmp_path)
    assert (done.returncode, done.stderr) == (1, b"bmat: -: Bad file descriptor\n")
    assert names_in(tmp_path) == ["plays.csv"]


def test_standard_input_that_is_closed_is_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OSError, match="Bad file descriptor"):
        aggregate([Path("-")], tmp_path / "out")
    with pytest.raises(OSError, match="standard input is closed"):
        looked_at(Path("-"), lambda done: None)


def test_an_output_whose_reader_has_gone_is_told(plays: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(OSError, match="Broken pipe"):
        aggregate([plays], Path(f"/dev/fd/{writing}"))
    os.close(writing)


def test_a_line_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    cli.say("nobody reads this", None)
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as stream:
        cli.say("nor this", stream)
        print("what is said later goes nowhere", file=stream)


def test_an_error_without_a_standard_error_is_an_exit_code(tmp_path: Path) -> None:
    assert run_in_shell("bmat none.csv -o out 2>&-", tmp_path).returncode == 1


def test_the_summary_is_printed_to_standard_output(
    plays: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(plays), "-o", str(tmp_path / "out")]) == 0
    assert capfd.readouterr().out.encode().startswith(SUMMARY)
