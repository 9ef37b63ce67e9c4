"""The compiled engine against the oracle: the same bytes, whatever the file and the limits."""

import json
import lzma
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmat.aggregation import AggregationError, Limits, Options, Summary, aggregate, inspect
from bmat.aggregation.inspection import INSPECTED_RECORDS
from bmat.aggregation.options import column_key
from bmat.aggregation.tests.expectations import rejects_in
from bmat.aggregation.tests.files import limits, runs
from bmat.aggregation.tests.oracle import Failed, Verdict, judge
from bmat.aggregation.tests.oracle.header import name_key
from bmat.aggregation.tests.pieces import (
    BEGINNINGS,
    EMPTY_FILES,
    KEYS,
    ODD_FILES,
    ODD_KEYS,
    OTHER_FORMATS,
    OTHER_NAMES,
)
from bmat.aggregation.tests.plays import drawn_plays
from bmat.aggregation.tests.running import (
    HEADER,
    counts_of,
    oracle_options,
    paths_in,
    without_notes,
)

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.csv"))
SEVERAL_LIMITS = [
    Limits(block_bytes, threads, memory_budget_bytes)
    for block_bytes in (11, 37, 1000, 100_000)
    for threads, memory_budget_bytes in ((1, 1), (2, 2**30), (4, 20_000))
]
# The oracle takes its time for thousands of rows: fewer such files, except in `make fuzz`.
EXAMPLES = settings().max_examples
LARGE_FILES = settings(max_examples=EXAMPLES // 5 if EXAMPLES <= 100 else EXAMPLES)


class Outcome(NamedTuple):
    """The bytes of the three files that a run leaves, and its counts."""

    totals: bytes
    rejects: bytes
    summary: str
    counts: Summary


def outcome(folder: Path, inputs: list[bytes], limits: Limits, **options: Any) -> Outcome:
    """What a run leaves, and nothing else may be left."""
    paths = paths_in(folder, inputs)
    outputs = [folder / name for name in ("totals.csv", "rejects.csv", "summary.json")]
    totals, rejects, summary = outputs
    for path, data in zip(paths, inputs, strict=True):
        path.write_bytes(data)
    try:
        counts = aggregate(
            paths,
            totals,
            rejects=rejects,
            summary_file=summary,
            options=Options(**options),
            limits=limits,
        )
    except AggregationError as error:
        kept = {rejects} if error.code == "no_valid_rows" else set()
        assert set(folder.iterdir()) == {*paths, *kept}
        raise
    assert set(folder.iterdir()) == {*paths, *outputs}
    told = json.loads(summary.read_bytes())
    # The oracle knows neither warnings nor how an encoding is called.
    del told["warnings"]
    for one in told["inputs"]:
        del one["encoding"]
    return Outcome(
        totals.read_bytes(), rejects.read_bytes(), json.dumps(told, sort_keys=True), counts
    )


def summary_of(verdict: Verdict, inputs: int) -> str:
    """The summary that the run should leave."""
    sample = {
        reason: [
            {"line": line, "record": record} | ({"file": file} if inputs > 1 else {})
            for file, line, record in examples
        ]
        for reason, examples in verdict.summary["rejects_sample"].items()
    }
    return json.dumps(verdict.summary | {"rejects_sample": sample}, sort_keys=True)


def assert_it_is_as_the_oracle_says(inputs: list[bytes], limits: Limits, **options: Any) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = paths_in(folder, inputs)
        try:
            verdict = judge(inputs, [str(path) for path in paths], oracle_options(**options))
        except Failed as failed:
            with pytest.raises(AggregationError) as caught:
                outcome(folder, inputs, limits, **options)
            source = None if failed.file is None else paths[failed.file]
            assert (caught.value.code, caught.value.source) == (failed.code, source)
            assert [fact for fact in failed.facts if fact not in caught.value.message] == []
            if failed.rejects is not None:
                assert (folder / "rejects.csv").read_bytes() == failed.rejects
            return
        found = outcome(folder, inputs, limits, **options)
        assert found[:2] == (verdict.totals, verdict.rejects)
        assert found.summary == summary_of(verdict, len(inputs))
        assert without_notes(found.counts) == counts_of(verdict)


@given(runs(), limits)
def test_it_equals_the_oracle(
    drawn: tuple[list[bytes], dict[str, Any]], chosen: dict[str, int]
) -> None:
    inputs, options = drawn
    chosen_limits = Limits(**chosen)  # type: ignore[arg-type]
    assert_it_is_as_the_oracle_says(inputs, chosen_limits, **options)


@given(runs())
def test_what_is_shown_agrees_with_the_oracle(drawn: tuple[list[bytes], dict[str, Any]]) -> None:
    """Of the first input, as if it were the only one."""
    (data, *_), options = drawn
    options |= {"strict": False}
    with TemporaryDirectory() as name:
        path = Path(name) / "plays.csv"
        path.write_bytes(data)
        try:
            verdict = judge([data], [str(path)], oracle_options(**options))
            plays, rejects = verdict.summary["plays_total"], verdict.rejects
        except Failed as failed:
            # Totals that are too large are found when all records have been read.
            if failed.code == "plays_overflow":
                return
            if failed.rejects is None:
                with pytest.raises(AggregationError) as caught:
                    inspect(path, Options(**options))
                assert (caught.value.code, caught.value.source) == (failed.code, path)
                return
            plays, rejects = 0, failed.rejects
        shown = inspect(path, Options(**options)).records
    refused = [[record.line, record.reason] for record in shown if record.reason]
    assert refused == rejects_in(rejects)[: len(refused)]
    if len(shown) < INSPECTED_RECORDS:
        assert len(refused) == len(rejects_in(rejects))
        assert sum(record.plays or 0 for record in shown) == plays


@LARGE_FILES
@given(st.integers(0, 2**32), st.sampled_from([3000, 10**5]), st.sampled_from([1, 10**6, 2**30]))
def test_it_equals_the_oracle_on_some_thousand_rows(
    seed: int, block_bytes: int, memory_budget_bytes: int
) -> None:
    limits = Limits(block_bytes, 2, memory_budget_bytes)
    assert_it_is_as_the_oracle_says([drawn_plays(seed)], limits)


@pytest.mark.parametrize("data", EMPTY_FILES + ODD_FILES + OTHER_FORMATS)
def test_an_odd_file_equals_the_oracle(data: bytes) -> None:
    for inputs in ([data], [HEADER + b"b,2020-01-01,1\n", data]):
        assert_it_is_as_the_oracle_says(inputs, Limits())


@given(st.lists(st.sampled_from(BEGINNINGS), min_size=1, max_size=6).map(b"".join))
def test_what_begins_like_another_format_equals_the_oracle(data: bytes) -> None:
    assert_it_is_as_the_oracle_says([data], Limits())


some_text = st.text(alphabet=" -_.:sSé\0\n1", max_size=3)
some_word = st.sampled_from(["iso", "dmy", "ISO", "", ",", "spaces", "csv", "NONE", "one", "two"])
option_values = st.one_of(
    st.fixed_dictionaries({"delimiter": st.one_of(some_text, st.characters(max_codepoint=200))}),
    st.fixed_dictionaries({"encoding": st.sampled_from(["utf-7", "hex", "no", "cp1252", "a\0"])}),
    st.fixed_dictionaries({}, optional={name: some_text for name in OTHER_NAMES}),
    *(
        st.fixed_dictionaries({name: some_word})
        for name in ("date_format", "thousands", "quoting", "plays")
    ),
    st.fixed_dictionaries({"header_line": st.integers(-2, 3)}),
    st.fixed_dictionaries({"group_by": st.sampled_from(KEYS + ODD_KEYS)}),
    st.fixed_dictionaries({"group_by": st.sampled_from(KEYS)}, optional={"isrc_column": some_text}),
)


@given(option_values)
def test_an_option_that_cannot_be_followed_equals_the_oracle(options: dict[str, str]) -> None:
    assert_it_is_as_the_oracle_says([b"a,2020-01-01,1"], Limits(), **options)


@given(st.text())
def test_a_name_as_it_is_compared_equals_that_of_the_oracle(name: str) -> None:
    assert column_key(name) == name_key(name)


@pytest.mark.parametrize("source", REGRESSIONS, ids=lambda path: path.stem)
def test_what_is_easily_got_wrong_is_right(source: Path, tmp_path: Path) -> None:
    """Beside each `<name>.csv` lie `<name>.totals` and `<name>.rejects`, checked by hand."""
    totals, rejects = (source.with_suffix(end).read_bytes() for end in (".totals", ".rejects"))
    for chosen in SEVERAL_LIMITS:
        with TemporaryDirectory(dir=tmp_path) as name:
            found = outcome(Path(name), [source.read_bytes()], chosen)
        assert found[:2] == (totals, rejects)


@pytest.mark.compiled
def test_the_file_that_was_read_past_its_end_is_counted(tmp_path: Path) -> None:
    """A song with many rows, shorter than 24 bytes, was the last one of the sample, whose names
    ended where a page of memory did.
    """
    data = lzma.decompress((REGRESSIONS[0].parent / "short_hot_song.csv.xz").read_bytes())
    totals, _, _, counts = outcome(tmp_path, [data], Limits())
    assert {b"b0,2020-01-01,14286", b"h,2020-01-01,5000"} < set(totals.splitlines())
    assert counts.rows_read == 105_000
    # One of its songs has 8,213 bytes.
    assert counts.rows_counted >= 104_999
