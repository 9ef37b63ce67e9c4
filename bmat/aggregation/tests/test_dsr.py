"""DDEX sales reports: their day, their records, and the counts in their footer."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError
from bmat.aggregation.source import dsr
from bmat.aggregation.source.opened import Place
from bmat.aggregation.tests.reading import SAMPLES, opened, read

SAMPLE = (SAMPLES / "dsr.tsv").read_bytes()
Save = Callable[[bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(data: bytes) -> Path:
        (tmp_path / "report.tsv").write_bytes(data)
        return tmp_path / "report.tsv"

    return saved


def changed(old: str, new: str) -> bytes:
    """The sample with another text."""
    assert old.encode() in SAMPLE
    return SAMPLE.replace(old.encode(), new.encode())


def with_footer(footer: str) -> bytes:
    return changed("SRFO\t9\t1", footer)


def failed(path: Path, **given: object) -> tuple[str, str]:
    with pytest.raises(AggregationError) as raised:
        opened(path, preset="dsr", **given)
    assert raised.value.source == path
    return raised.value.code, raised.value.message


def test_each_sale_counts_on_the_day_of_the_report() -> None:
    found = read(SAMPLES / "dsr.tsv")
    assert found.plays == [
        ("Night Bus", "2026-01-05", "12"),
        ('12" Mix', "2026-01-05", "7"),
        ("Night Bus", "2026-01-05", "3.0"),
        ("Älter", "2026-01-05", "5"),
    ]
    # The header, a comment, a summary and the footer.
    assert (found.left_out, found.opened.are_periods) == (4, False)
    layout = found.opened.layout
    assert layout.filter is not None and layout.filter.reason == "other_record"
    assert (layout.first_line, layout.data_start, layout.is_quoted) == (1, 0, False)


def test_the_artist_and_the_isrc_may_be_the_key() -> None:
    plays = read(SAMPLES / "dsr.tsv", group_by="isrc,artist").plays
    assert plays[0] == ("DEA012600001", "The Examples", "2026-01-05", "12")
    assert plays[3][:2] == ("", "Björn")


@pytest.mark.parametrize("role", ["territory", "service"])
def test_what_only_the_summary_says_is_refused(role: str) -> None:
    code, message = failed(SAMPLES / "dsr.tsv", group_by=role)
    assert code == "missing_column" and f"it has no {role}" in message


def test_a_cell_of_the_record_may_be_the_date(save: Save) -> None:
    found = read(save(SAMPLE), date_column="ReleaseLabel", song_column="release_title")
    assert found.opened.layout.fixed_day is None and found.opened.layout.date == 29
    assert not read(
        save(changed("2026-01-05\tP", "2026-02\tP")), date_column="ISWC"
    ).opened.are_periods


@pytest.mark.parametrize(
    ("first", "last", "day", "are_periods"),
    [
        ("2026-01-05", "2026-01-05", date(2026, 1, 5), False),
        ("20260105", "2026-01-05", date(2026, 1, 5), False),
        ("2026-01-05", "2026-01-11", date(2026, 1, 5), True),
        ("2024-02", "2024-02", date(2024, 2, 1), True),
        ("2025-10", "2025-12", date(2025, 10, 1), True),
        ("2025", "2025", date(2025, 1, 1), True),
        ("2026-01-31", "2026-01", date(2026, 1, 31), False),
        ("9999-12-31", "9999", date(9999, 12, 31), False),
    ],
)
def test_the_period_gives_the_day(
    save: Save, first: str, last: str, day: date, are_periods: bool
) -> None:
    file = opened(save(changed("2026-01-05\t2026-01-05", f"{first}\t{last}")))
    assert file.layout.fixed_day == (day - date.min).days
    assert file.are_periods == are_periods


@pytest.mark.parametrize(
    "days",
    ["\t", "2026-01-05\t2026-01-04", "2026-02-30\t2026-03-01", "0000\t0001", "2026-W01\t2026-W02"],
)
def test_a_report_without_a_period_is_refused(save: Save, days: str) -> None:
    code, message = failed(save(changed("2026-01-05\t2026-01-05", days)))
    assert code == "missing_column" and "names no period of days" in message


def test_a_report_without_a_header_is_refused(save: Save) -> None:
    assert "it has no HEAD record" in failed(save(SAMPLE[5:]))[1]


def test_a_report_of_blocks_is_refused(save: Save) -> None:
    code, message = failed(save(SAMPLE.replace(b"SR02", b"SU02")))
    assert code == "missing_column" and "it has no SR02 record" in message


@pytest.mark.parametrize(
    ("footer", "message"),
    [
        ("SRFO\t10\t1", "says that it has '10' lines, but it has 9: 1 too few."),
        ("SRFO\t7\t1", "says that it has '7' lines, but it has 9: 2 too many."),
        ("SRFO\t9\t2", "says that it has '2' summary records, but it has 1: 1 too few."),
        ("SRFO\t9", "says that it has '' summary records, but it has 1: no number."),
        ("SRFO", "says that it has '' lines, but it has 9: no number."),
        ("SRFO\t-9\t1", "says that it has '-9' lines, but it has 9: no number."),
        ("FOOT\t8\t9\t1\t4\t4", "says that it has '8' lines, but it has 9: 1 too many."),
        ("FOOT\t9\t9\t0\t4\t4", "says that it has '0' summary records, but it has 1: 1 too many."),
        ("FOOT\t9\t9\t1\t5\t5", "says that it has '5' blocks, but it has 4: 1 too few."),
        ("#SRFO\t9\t1", "The report has no FOOT record at its end: it is incomplete."),
    ],
)
def test_a_footer_that_counts_otherwise_says_by_how_much(
    save: Save, footer: str, message: str
) -> None:
    code, told = failed(save(with_footer(footer)))
    assert code == "count_mismatch" and message in told


@pytest.mark.parametrize(
    "footer",
    [
        "SRFO\t 9 \t1",
        "FOOT\t9\t9\t1\t4\t4",
        "FOOT\t9\t9\t1\t\t",
        "FOOT\t9\t9\t1",
        "SRFO\t9\t1\t7\t7",
    ],
)
def test_a_footer_that_counts_alike_is_good(save: Save, footer: str) -> None:
    assert len(read(save(with_footer(footer))).plays) == 4


def test_of_several_files_the_summaries_are_not_counted(save: Save) -> None:
    data = with_footer("FOOT\t9\t18\t2\t4\t8").replace(b"\t1\t1\t2026", b"\t1\t2\t2026")
    assert len(read(save(data)).plays) == 4


def test_blocks_are_not_counted_where_they_have_other_records(save: Save) -> None:
    data = with_footer("FOOT\t10\t10\t1\t1\t1").replace(b"\n\n", b"\n\nSU02\t1\n")
    assert len(read(save(data)).plays) == 4


def test_lines_count_by_any_line_end_and_without_the_last_one(save: Save) -> None:
    for data in (SAMPLE.rstrip(), SAMPLE.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + SAMPLE):
        assert [play[2] for play in read(save(data), preset="dsr").plays] == ["12", "7", "3.0", "5"]


def test_empty_lines_at_the_end_count_or_do_not(save: Save) -> None:
    for footer in ("SRFO\t9\t1", "SRFO\t11\t1"):
        assert read(save(with_footer(footer) + b"\n\r\n")).plays
    assert failed(save(with_footer("SRFO\t10\t1") + b"\n\n"))[0] == "count_mismatch"
    assert failed(save(SAMPLE + b"\n\n#\n"))[0] == "count_mismatch"


def test_a_footer_behind_which_another_report_follows_is_refused(save: Save) -> None:
    assert "but it has 18: 9 too many" in failed(save(SAMPLE + SAMPLE))[1]


@pytest.mark.parametrize("chunk_bytes", range(1, 12))
def test_chunks_of_any_size_count_alike(
    save: Save, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(dsr, "CHUNK_BYTES", chunk_bytes)
    data = b"\n\n\r\n#x\n" + with_footer("FOOT\t17\t17\t1\t4\t4").replace(
        b"\n\n", b"\n\n\r\r\n\r\n\n\n"
    )
    told: list[int] = []
    counts = dsr.counts_of(save(data), Place(0, 1, has_cr_ends=False), told.append)
    old = data.replace(b"\r", b"").replace(b"\n", b"\r")
    assert dsr.counts_of(save(old), Place(0, 1, has_cr_ends=True), lambda done: None) == counts
    assert counts == dsr.Counts(lines=17, summaries=1, sales=4, comments=2, empty=8)
    assert counts.others == 0 and told[-1] == len(data)
