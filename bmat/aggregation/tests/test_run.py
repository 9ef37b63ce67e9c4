import errno
import os
from pathlib import Path

import pytest

from bmat.aggregation import (
    AggregationError,
    Limits,
    NoValidRows,
    Options,
    Progress,
    aggregate,
)
from bmat.aggregation.errors import ConservationError
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER, TOTALS_HEADER, error_of, names_in, run_in
from bmat.aggregation.write.summary import check_conservation

LARGEST = b"9223372036854775807"
MANY = HEADER + b"".join(b"song %d,2020-01-%02d,1\n" % (n, n % 28 + 1) for n in range(20_000))


class Cancelled(Exception):
    pass


def test_it_sorts_by_bytes_of_the_song_and_then_by_date(run: Run) -> None:
    songs = ["b", "a", "B", "é", "a b", "a", "日", "🎵", "ﬀ"]
    rows = [f"{song},2020-01-0{day},1\n" for day in (2, 1) for song in songs]
    result = run(HEADER + "".join(rows).encode())
    order = [line.split(b",")[:2] for line in result.totals.splitlines()]
    assert order == sorted(order)
    assert len(order) == 16


def test_a_song_without_plays_has_a_total_of_zero(run: Run) -> None:
    assert run(HEADER + b"a,2020-01-01,0\n").totals == b"a,2020-01-01,0\n"


def test_it_accounts_for_every_row(run: Run) -> None:
    summary = run(HEADER + b"a,2020-01-01,1\na,2020-01-01T10:00,4\n\n,,\nb,x,1\nc,y,1\n").summary
    assert (summary.rows_read, summary.rows_counted, summary.rows_rejected) == (5, 2, 3)
    assert (summary.groups, summary.plays_total) == (1, 5)
    assert summary.rejects_by_reason == {"empty_song": 1, "invalid_date": 2}


def test_it_adds_up_several_files_each_with_its_own_header(run: Run) -> None:
    other = b"Date;Number of Plays;Song\n2020-01-01;2;a\nbad\n"
    result = run(HEADER + b"a,2020-01-01,1\nbad,\n", other)
    assert result.totals == b"a,2020-01-01,3\n"
    names = [line.split(b",")[:2] for line in result.rejects.splitlines()]
    assert [(Path(name.decode()).name, line) for name, line in names] == [
        ("plays-0.csv", b"3"),
        ("plays-1.csv", b"3"),
    ]


def test_rejects_are_listed_only_up_to_the_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmat.aggregation.plan.plan.LISTED_REJECTS", 3)
    result = run(HEADER + b"a,2020-01-01,1\n" + b"bad\n" * 8, block_bytes=32)
    assert result.rejects == b"3,missing_field,bad\n4,missing_field,bad\n5,missing_field,bad\n"
    assert result.summary.rows_rejected == 8


def test_strict_fails_at_the_first_bad_record_of_the_file(tmp_path: Path) -> None:
    data = HEADER + b"a,2020-01-01,1\n" * 50 + b"a,2020-01-01,-1\nbad\n"
    error = error_of(tmp_path, data, strict=True, block_bytes=20)
    assert error.code == "strict_violation"
    assert error.message == (
        "Line 52 cannot be counted (negative_plays): 'a,2020-01-01,-1'. "
        "Correct it, or run without the option strict."
    )


def test_a_file_without_a_good_row_is_an_error_that_leaves_its_rejects(tmp_path: Path) -> None:
    with pytest.raises(NoValidRows) as caught:
        run_in(tmp_path, HEADER + b"a,x,1\n,2020-01-01,1\nb,x,1\n")
    error = caught.value
    assert error.code == "no_valid_rows"
    assert (error.summary.rows_read, error.summary.rows_rejected) == (3, 3)
    assert names_in(tmp_path) == ["plays-0.csv", "rejects.csv"]
    assert (tmp_path / "rejects.csv").read_bytes().count(b"\n") == 4
    assert error.message == (
        "Not one row could be counted: all 3 were rejected (1 empty_song, 2 invalid_date), "
        "the first on line 2 (invalid_date): 'a,x,1'."
    )


def test_a_file_with_nothing_but_a_header_has_no_totals(run: Run) -> None:
    result = run(HEADER)
    assert (result.totals, result.rejects, result.summary.rows_read) == (b"", b"", 0)
    assert run(HEADER, HEADER + b"a,2020-01-01,1\n").totals == b"a,2020-01-01,1\n"


def test_a_total_past_64_bits_is_an_error_that_names_the_first_in_order(tmp_path: Path) -> None:
    rows = b"b,2020-01-01,%s\nb,2020-01-01,1\na,2020-01-02,%s\na,2020-01-02,3\n"
    error = error_of(tmp_path, HEADER + rows % (LARGEST, LARGEST), block_bytes=20)
    assert error.code == "plays_overflow"
    assert error.message == (
        "The total of 'a' on 2020-01-02 is 9223372036854775810, "
        "past the largest possible, 9223372036854775807. "
        "Look for a wrong number of plays in its records."
    )


def test_the_grand_total_may_pass_64_bits(run: Run) -> None:
    rows = [b"%d,2020-01-01,%s\n" % (song, LARGEST) for song in range(5)]
    assert run(HEADER + b"".join(rows)).summary.plays_total == 5 * int(LARGEST)


def test_totals_that_do_not_add_up_are_never_handed_out() -> None:
    check_conservation(2, 2, {737425: 2})
    with pytest.raises(ConservationError, match="plays counted 2, plays in the totals 1"):
        check_conservation(2, 1, {737425: 1})
    with pytest.raises(ConservationError, match="plays counted 2, plays in the totals 1"):
        check_conservation(2, 2, {737425: 1})


def test_progress_rises_to_one_and_counts_rows(tmp_path: Path) -> None:
    seen: list[Progress] = []
    (tmp_path / "in.csv").write_bytes(MANY)
    limits = Limits(block_bytes=100_000)
    aggregate([tmp_path / "in.csv"], tmp_path / "out", limits=limits, on_progress=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (seen[0].stage, seen[-1]) == ("reading", Progress("writing", 1.0, 20_000))


@pytest.mark.parametrize("stage", ["reading", "writing"])
def test_what_the_listener_raises_ends_the_run(tmp_path: Path, stage: str) -> None:
    def cancel(progress: Progress) -> None:
        if progress.stage == stage:
            raise Cancelled

    (tmp_path / "in.csv").write_bytes(MANY.decode().encode("utf-16"))
    with pytest.raises(Cancelled):
        aggregate([tmp_path / "in.csv"], tmp_path / "out", on_progress=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, AggregationError), (errno.EIO, OSError)]
)
def test_a_full_disk_is_an_error_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    (tmp_path / "in.csv").write_bytes(MANY)
    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(error, match="space left|Input/output"):
        aggregate([tmp_path / "in.csv"], tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_an_earlier_result_stays_when_a_run_fails(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(TOTALS_HEADER)
    (tmp_path / "in.csv").write_bytes(b"")
    with pytest.raises(AggregationError):
        aggregate([tmp_path / "in.csv"], tmp_path / "out", options=Options())
    assert (tmp_path / "out").read_bytes() == TOTALS_HEADER
