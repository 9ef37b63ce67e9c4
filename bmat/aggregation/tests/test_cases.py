"""Small files of the kinds that people have, each with what must come of it: by the command line,
and by the oracle, which judges it elsewhere.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation.cli import FAILED, MISUSED, main
from bmat.aggregation.tests import oracle
from bmat.aggregation.tests.expectations import Case, cases_in, rejects_in, totals_in

CASES = cases_in("cases")
# Those whose options the oracle knows.
JUDGED = [case for case in CASES if set(json.loads(case.options)) <= {*oracle.Options._fields}]
# What the notes of some cases ask for.
FACTS = {"preamble_hint.csv": ("Line 4", "header_line"), "html.csv": ("HTML",)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_gives_what_is_expected(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, totals, rejects = tmp_path / "in.csv", tmp_path / "totals", tmp_path / "rejects"
    source.write_bytes(case.content)
    arguments = [str(source), "-o", str(totals), "--rejects", str(rejects)]
    arguments += ["--summary", str(tmp_path / "summary")]
    for name, value in json.loads(case.options).items():
        arguments += [f"--{name.replace('_', '-')}", value]
    code = code_of(arguments)
    assert code == (0 if not case.error else MISUSED if case.error == "invalid_option" else FAILED)
    found = None if case.error else totals_in(totals.read_bytes())
    listed = rejects_in(rejects.read_bytes() if rejects.exists() else b"")
    assert (found, listed, case.error) == case.expected
    said = capsys.readouterr().err
    for fact in FACTS.get(case.file, ()):
        assert fact in said


def code_of(arguments: list[str]) -> int:
    """The exit code; also where the arguments are none."""
    try:
        return main(arguments)
    except SystemExit as exit:
        assert isinstance(exit.code, int)
        return exit.code


@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_the_oracle_gives_what_is_expected(case: Case) -> None:
    given: dict[str, Any] = json.loads(case.options)
    line = int(given["header_line"]) if "header_line" in given else None
    options = oracle.Options(**given | {"header_line": line})
    try:
        verdict = oracle.judge([case.content], ["in.csv"], options)
    except oracle.Failed as failed:
        found = None, rejects_in(failed.rejects or b""), failed.code
        assert found == case.expected
        return
    assert (totals_in(verdict.totals), rejects_in(verdict.rejects), "") == case.expected
