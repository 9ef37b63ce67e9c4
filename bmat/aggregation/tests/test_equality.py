"""The compiled engine against the reference: the same bytes, whatever the file and the limits."""

import lzma
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmat.aggregation import AggregationError, Limits, Options, Summary, aggregate
from bmat.aggregation.options import BOUNDS, Bounds
from bmat.aggregation.tests.files import files, limits
from bmat.aggregation.tests.plays import drawn_plays
from bmat.aggregation.tests.reference.engine import aggregate as aggregate_plainly

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.csv"))
SEVERAL_LIMITS = [
    Limits(block_bytes, threads, memory_budget_bytes)
    for block_bytes in (11, 37, 1000, 100_000)
    for threads, memory_budget_bytes in ((1, 1), (2, 2**30), (4, 20_000))
]
# The reference takes its time for thousands of rows: fewer such files, except in `make fuzz`.
EXAMPLES = settings().max_examples
LARGE_FILES = settings(max_examples=EXAMPLES // 5 if EXAMPLES <= 100 else EXAMPLES)


def outcome(run: Callable[..., Summary], data: bytes, folder: Path, **more: Any) -> tuple[Any, ...]:
    """What a run leaves: its error, or its output, rejects and counts. Nothing else may be left."""
    source, output, rejects = folder / "in.csv", folder / "out.csv", folder / "rejects.csv"
    source.write_bytes(data)
    try:
        summary = run([source], output, rejects=rejects, **more)
    except AggregationError as error:
        assert sorted(folder.iterdir()) == [source]
        return error.code, error.message
    assert sorted(folder.iterdir()) == [source, output, rejects]
    result = output.read_bytes(), rejects.read_bytes(), asdict(summary)
    output.unlink()
    rejects.unlink()
    return result


few_bytes = st.builds(Bounds, st.integers(20, 300), st.integers(0, 60), st.integers(1, 20))


@given(files(), limits, st.one_of(st.just(BOUNDS), few_bytes))
def test_it_equals_the_reference(data: bytes, chosen: dict[str, int], bounds: Bounds) -> None:
    with TemporaryDirectory() as name:
        options = Options(bounds=bounds)
        expected = outcome(aggregate_plainly, data, Path(name), options=options)
        chosen_limits = Limits(**chosen)  # type: ignore[arg-type]
        found = outcome(aggregate, data, Path(name), options=options, limits=chosen_limits)
        assert found == expected


@LARGE_FILES
@given(st.integers(0, 2**32), st.sampled_from([3000, 10**5]), st.sampled_from([1, 10**6, 2**30]))
def test_it_equals_the_reference_on_some_thousand_rows(
    seed: int, block_bytes: int, memory_budget_bytes: int
) -> None:
    data, chosen = drawn_plays(seed), Limits(block_bytes, 2, memory_budget_bytes)
    with TemporaryDirectory() as name:
        expected = outcome(aggregate_plainly, data, Path(name))
        assert outcome(aggregate, data, Path(name), limits=chosen) == expected


@pytest.mark.parametrize("source", REGRESSIONS, ids=lambda path: path.stem)
def test_what_is_easily_got_wrong_is_right(source: Path, tmp_path: Path) -> None:
    """Beside each `<name>.csv` lie `<name>.totals` and `<name>.rejects`, checked by hand."""
    totals, rejects = (source.with_suffix(end).read_bytes() for end in (".totals", ".rejects"))
    for chosen in SEVERAL_LIMITS:
        found = outcome(aggregate, source.read_bytes(), tmp_path, limits=chosen)
        assert found[:2] == (totals, rejects)


@pytest.mark.compiled
def test_the_file_that_was_read_past_its_end_is_counted(tmp_path: Path) -> None:
    """A song with many rows, shorter than 24 bytes, was the last one of the sample, whose names
    ended where a page of memory did.
    """
    data = lzma.decompress((REGRESSIONS[0].parent / "short_hot_song.csv.xz").read_bytes())
    totals, _, counts = outcome(aggregate, data, tmp_path)
    assert {b"b0,2020-01-01,14286", b"h,2020-01-01,5000"} < set(totals.splitlines())
    assert counts["rows_read"] == 105_000
    # One of its songs has 8,213 bytes.
    assert counts["rows_counted"] >= 104_999
