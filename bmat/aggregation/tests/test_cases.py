"""Small files of the kinds that people have, each with what must come of it: by the command line,
and by the oracle, which judges it elsewhere.

`cases/expected.tsv`: file, options (JSON), totals (JSON; null where the run fails), rejects (JSON),
error, note.
"""

import csv
import io
import json
import lzma
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bmat.aggregation.cli import FAILED, MISUSED, main
from bmat.aggregation.tests import oracle

FOLDER = Path(__file__).parent / "cases"


class Case(NamedTuple):
    file: str
    options: str
    totals: str
    rejects: str
    error: str
    note: str


def cases() -> list[Case]:
    _, *lines = (FOLDER / "expected.tsv").read_text(encoding="utf-8").splitlines()
    return [Case(*line.split("\t")) for line in lines]


def content_of(case: Case) -> bytes:
    content = (FOLDER / case.file).read_bytes()
    return lzma.decompress(content) if case.file.endswith(".xz") else content


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a CSV file; none where it is not there."""
    return rows_in(path.read_bytes() if path.exists() else b"")


def rows_in(content: bytes) -> list[list[str]]:
    """The rows of a CSV behind its header."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file} {case.options}")
def test_it_gives_what_is_expected(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, totals, rejects = tmp_path / "in.csv", tmp_path / "totals", tmp_path / "rejects"
    source.write_bytes(content_of(case))
    arguments = [str(source), "-o", str(totals), "--rejects", str(rejects)]
    arguments += ["--summary", str(tmp_path / "summary")]
    for name, value in json.loads(case.options).items():
        arguments += [f"--{name.replace('_', '-')}", value]
    code = code_of(arguments)
    assert code == (0 if not case.error else MISUSED if case.error == "invalid_option" else FAILED)
    found: list[list[Any]] = [[*row[:-1], int(row[-1])] for row in rows_of(totals)]
    assert (found if not case.error else None) == json.loads(case.totals)
    listed = [[int(line), reason] for line, reason, _ in rows_of(rejects)]
    assert listed == json.loads(case.rejects)
    said = capsys.readouterr().err
    for fact in FACTS.get(case.file, ()):
        assert fact in said


# What the notes of some cases ask for.
FACTS = {"preamble_hint.csv": ("Line 4", "header_line"), "html.csv": ("HTML",)}


def code_of(arguments: list[str]) -> int:
    """The exit code; also where the arguments are none."""
    try:
        return main(arguments)
    except SystemExit as exit:
        assert isinstance(exit.code, int)
        return exit.code


# Those whose options the oracle knows.
JUDGED = [case for case in cases() if set(json.loads(case.options)) <= {*oracle.Options._fields}]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: f"{case.file} {case.options}")
def test_the_oracle_gives_what_is_expected(case: Case) -> None:
    given = json.loads(case.options)
    line = int(given["header_line"]) if "header_line" in given else None
    options = oracle.Options(**given | {"header_line": line})
    found: list[list[Any]] | None = None
    try:
        verdict = oracle.judge([content_of(case)], ["in.csv"], options)
    except oracle.Failed as failed:
        assert failed.code == case.error
        rejects = failed.rejects or b""
    else:
        assert not case.error
        found = [[*row[:-1], int(row[-1])] for row in rows_in(verdict.totals)]
        rejects = verdict.rejects
    assert found == json.loads(case.totals)
    assert [[int(line), reason] for line, reason, _ in rows_in(rejects)] == json.loads(case.rejects)
