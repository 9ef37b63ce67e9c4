"""What the property tests draw: each option is followed to the end, and each fault still occurs.

Of a hundred runs, about five come to totals under each value of an option, and in six or more a
record is rejected for each reason. Few runs are drawn here, always the same ones: so the bounds
are lower.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from bmat.aggregation.errors import REASON_ADVICE
from bmat.aggregation.options import BOUNDS
from bmat.aggregation.tests.files import runs
from bmat.aggregation.tests.oracle import Failed, judge
from bmat.aggregation.tests.pieces import GROUPED_PLAYS, OTHER_DATES
from bmat.aggregation.tests.running import oracle_options

RUNS = 200
WITH_TOTALS, WITH_REASON, FAILED = 4, 4, 2
# JSON is no matter of the oracle.
REASONS = [reason for reason in REASON_ADVICE if reason != "malformed_json"]
FAILURES = [
    *("empty_file", "not_text", "missing_column", "duplicate_column"),
    *("strict_violation", "no_valid_rows", "plays_overflow"),
]
OPTIONS: list[tuple[str, object]] = [
    *(("date_format", value) for value in (None, "iso", *OTHER_DATES)),
    *(("thousands", value) for value in (None, *GROUPED_PLAYS)),
    *(("quoting", value) for value in (None, "csv", "none")),
    *(("header_line", value) for value in (None, 1, 2, 3, 4)),
    *(("plays", value) for value in (None, "column", "one")),
    *(("delimiter", value) for value in (None, ",", ";", "^", "\x01", "tab", "\\t")),
    *(("keys", value) for value in ("song", "another", "several")),
    *(("encoding", value) for value in (None, "utf-8", "wide", "narrow")),
    *(("strict", value) for value in (True, False)),
    *(("columns", value) for value in ("default", "named")),
    *(("bounds", value) for value in ("whole", "few bytes")),
]
Run = tuple[list[bytes], dict[str, Any]]


class Drawn(NamedTuple):
    """How many runs came to totals under each option, had a record rejected for each reason, and
    failed with each code.
    """

    totals: Counter[tuple[str, object]]
    reasons: Counter[str]
    failures: Counter[str]


def drawn_run(number: int) -> Run:
    """One run, always the same one. Each is drawn by itself: those that Hypothesis makes of one
    another are alike.
    """
    found: list[Run] = []

    @seed(number)
    @settings(max_examples=2, database=None, phases=[Phase.generate])
    @given(st.integers(), runs())
    def keep(_: int, run: Run) -> None:
        found.append(run)

    keep()
    # The first one is the simplest that there is. The other one differs from it in the number, and
    # so may be alike in everything else.
    return found[-1]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    found = Drawn(Counter(), Counter(), Counter())
    for inputs, options in map(drawn_run, range(RUNS)):
        try:
            verdict = judge(inputs, ["x"] * len(inputs), oracle_options(**options))
        except Failed as failed:
            found.failures[failed.code] += 1
            continue
        if verdict.summary["rows_counted"]:
            found.totals.update(kinds_of(options))
        found.reasons.update(list(verdict.summary["rejects_by_reason"]))
    return found


def kinds_of(options: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """The options as OPTIONS has them."""
    for name in ("date_format", "thousands", "quoting", "header_line", "plays", "delimiter"):
        yield name, options.get(name)
    key, encoding = options.get("group_by", "song"), options["encoding"]
    yield "keys", "several" if "," in key else key if key == "song" else "another"
    is_wide = encoding in ("utf-16", "utf-16-be", "utf-32")
    yield "encoding", encoding if encoding in (None, "utf-8") else "wide" if is_wide else "narrow"
    yield "strict", options["strict"]
    yield "columns", "named" if "song_column" in options else "default"
    yield "bounds", "whole" if options["bounds"] == BOUNDS else "few bytes"


def test_each_option_is_followed_to_totals(drawn: Drawn) -> None:
    assert {one: drawn.totals[one] for one in OPTIONS if drawn.totals[one] < WITH_TOTALS} == {}


def test_each_reason_occurs(drawn: Drawn) -> None:
    assert {one: drawn.reasons[one] for one in REASONS if drawn.reasons[one] < WITH_REASON} == {}


def test_runs_fail_in_each_way(drawn: Drawn) -> None:
    assert {one: drawn.failures[one] for one in FAILURES if drawn.failures[one] < FAILED} == {}
    assert set(drawn.failures) == set(FAILURES)
