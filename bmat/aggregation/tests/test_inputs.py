"""Several inputs of one run, each with a name and options of its own."""

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bmat.aggregation import AggregationError, InputFile, Limits, Options, Summary, aggregate
from bmat.aggregation.job import Job
from bmat.aggregation.options import MOST_INPUTS
from bmat.aggregation.plan.partitions import SAMPLES, stretches_of
from bmat.aggregation.source.layout import Layout, Source
from bmat.aggregation.tests.packing import zipped
from bmat.aggregation.tests.reading import SAMPLES as PRESETS
from bmat.aggregation.tests.running import HEADER, TOTALS_HEADER, before_the_tasks

GERMAN = "Titel;Tag;Anzahl\nNachtbus;31.12.2025;1.500\nÄlter;32.12.2025;7\n".encode("cp1252")
AS_GERMAN = Options(
    song_column="Titel",
    date_column="Tag",
    plays_column="Anzahl",
    encoding="cp1252",
    date_format="dmy",
    thousands=".",
)


def run(folder: Path, inputs: Sequence[Path | InputFile], **options: Any) -> Summary:
    """The totals of the inputs, in the folder's files."""
    return aggregate(
        inputs,
        folder / "totals.csv",
        rejects=folder / "rejects.csv",
        summary_file=folder / "summary.json",
        options=Options(**options),
    )


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_headers_dialects_encodings_and_presets_may_be_mixed(tmp_path: Path) -> None:
    plain = written(tmp_path, "plain", b"Number of Plays,Song,Date,x\n3,Nachtbus,2025-12-31,y\n")
    wide = written(
        tmp_path, "wide", "sep=;\r\nDate;Song;Number of Plays\r\n2026-01-05;É;4".encode("utf-16")
    )
    german = InputFile(written(tmp_path, "german", GERMAN), options=AS_GERMAN)
    no_header = written(tmp_path, "no header", b"Night Bus,2026-01-05,5\n")
    logs = [PRESETS / name for name in ("suisa.csv", "spotify.json", "audioscrobbler.log")]

    summary = run(tmp_path, [plain, wide, german, no_header, *logs])

    lines = (tmp_path / "totals.csv").read_text("utf-8").splitlines()[1:]
    assert "Nachtbus,2025-12-31,1503" in lines and "É,2026-01-05,4" in lines
    # Of all but the first three.
    assert "Night Bus,2026-01-05,8" in lines
    assert [(one.preset, one.encoding, one.delimiter) for one in summary.inputs] == [
        ("default", "utf-8", ","),
        ("default", "utf-16", ";"),
        ("default", "cp1252", ";"),
        ("default", "utf-8", ","),
        ("suisa", "utf-8", ","),
        ("spotify", "utf-8", ""),
        ("audioscrobbler", "utf-8", "\t"),
    ]
    assert [one.header_line for one in summary.inputs] == [1, 2, 1, 0, 1, 0, 0]


def test_each_input_is_conserved_and_so_are_all(tmp_path: Path) -> None:
    german = InputFile(written(tmp_path, "g", GERMAN), "german.csv", AS_GERMAN)
    spotify = InputFile(PRESETS / "spotify.json", "spotify.json")
    empty = InputFile(written(tmp_path, "e", HEADER), "empty.csv")

    summary = run(tmp_path, [german, spotify, empty])

    counts = [
        (one.name, one.rows_read, one.rows_counted, one.rows_rejected, one.rows_left_out, one.plays)
        for one in summary.inputs
    ]
    assert counts == [
        ("german.csv", 2, 1, 1, 0, 1500),
        ("spotify.json", 4, 2, 0, 2, 2),
        ("empty.csv", 0, 0, 0, 0, 0),
    ]
    for name in ("rows_read", "rows_counted", "rows_rejected", "rows_left_out", "bytes_read"):
        assert sum(getattr(one, name) for one in summary.inputs) == getattr(summary, name)
    assert sum(one.plays for one in summary.inputs) == summary.plays_total
    told = json.loads((tmp_path / "summary.json").read_text())["inputs"]
    assert [one["name"] for one in told] == ["german.csv", "spotify.json", "empty.csv"]


def test_names_stand_in_the_rejects_in_place_of_paths(tmp_path: Path) -> None:
    bad = written(tmp_path, "a", HEADER + b"a,soon,1\nb,2020-01-01,1\n")

    run(tmp_path, [InputFile(bad, 'Lied, "neu".csv'), bad, InputFile(bad)])

    assert (tmp_path / "rejects.csv").read_text() == (
        "File,Line,Reason,Record\n"
        '"Lied, ""neu"".csv",2,invalid_date,"a,soon,1"\n'
        f'{bad},2,invalid_date,"a,soon,1"\n'
        f'{bad},2,invalid_date,"a,soon,1"\n'
    )


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (b"a,b\n", {}, "The header has no column 'Song'"),
        (HEADER + b"a,soon,1\n", {"strict": True}, r"Line 2 cannot be counted \(invalid_date\)"),
    ],
)
def test_an_error_names_the_input_at_fault(
    tmp_path: Path, data: bytes, options: dict[str, Any], message: str
) -> None:
    good = InputFile(written(tmp_path, "a", HEADER + b"a,2020-01-01,1\n"), "good.csv")
    bad = InputFile(written(tmp_path, "b", data), "bad.csv")

    with pytest.raises(AggregationError, match=message) as raised:
        run(tmp_path, [good, bad], **options)

    assert raised.value.source == Path("bad.csv")


def test_an_option_that_fits_no_input_names_none(tmp_path: Path) -> None:
    with pytest.raises(AggregationError) as raised:
        run(tmp_path, [InputFile(PRESETS / "spotify.json", "log")], delimiter=";", preset="spotify")

    assert (raised.value.code, raised.value.source) == ("invalid_option", None)


def test_where_all_are_rejected_the_first_input_is_named(tmp_path: Path) -> None:
    bad = written(tmp_path, "a", HEADER + b"a,soon,1\n")

    with pytest.raises(AggregationError, match=r"the first on line 2 of one.csv \(invalid_date\)"):
        run(tmp_path, [InputFile(bad, "one.csv"), InputFile(bad, "two.csv")])


def test_what_lies_in_an_input_is_named_below_it(tmp_path: Path) -> None:
    given = InputFile(tmp_path / "input-2.csv", "plays.zip")

    assert given.shown(tmp_path / "input-2.csv") == Path("plays.zip")
    assert given.shown(tmp_path / "input-2.csv" / "days" / "1.csv") == Path("plays.zip/days/1.csv")
    assert InputFile(given.path).shown(given.path / "1.csv") == given.path / "1.csv"


def test_all_inputs_are_totalled_by_what_the_run_is_by(tmp_path: Path) -> None:
    plays = written(tmp_path, "a", b"Artist,Titel,Date,Number of Plays\nx,a,2020-01-01,1\n")
    totals = written(tmp_path, "b", b"Artist,Song,Date,Number of Plays\nx,a,2020-01-01,2\n")

    run(
        tmp_path,
        [InputFile(plays, options=Options(song_column="Titel")), totals],
        group_by="artist,song",
    )

    assert (tmp_path / "totals.csv").read_bytes().splitlines()[1:] == [b"x,a,2020-01-01,3"]


def test_an_input_by_other_columns_is_refused(tmp_path: Path) -> None:
    plays = written(tmp_path, "a", HEADER)
    given = InputFile(plays, options=Options(group_by="artist"))

    with pytest.raises(AggregationError, match="the run is by song, and so are all") as raised:
        run(tmp_path, [plays, given])

    assert (raised.value.code, raised.value.option) == ("invalid_option", "group_by")


def test_more_inputs_than_a_run_takes_are_refused_before_any_is_opened(tmp_path: Path) -> None:
    with pytest.raises(AggregationError, match="There are 1001 inputs") as raised:
        run(tmp_path, [tmp_path / "not there"] * (MOST_INPUTS + 1))

    assert raised.value.code == "too_many_inputs"


def test_the_files_of_archives_count_as_inputs(tmp_path: Path) -> None:
    plays = HEADER + b"a,2020-01-01,1\n"
    archive = written(tmp_path, "zip", zipped(*[(f"{n}.csv", plays) for n in range(600)]))
    with pytest.raises(AggregationError, match="There are at least 1200 inputs") as raised:
        run(tmp_path, [archive, archive, tmp_path / "not there"])

    assert raised.value.code == "too_many_inputs"


def test_a_thousand_inputs_are_open_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share few batches, so that a run of them costs what one file of the same rows does."""
    jobs: list[Job] = []
    before_the_tasks(monkeypatch, jobs.append)
    day = written(tmp_path, "day", HEADER + b"a,2020-01-01,1\n" * 10)
    opened = len(os.listdir("/dev/fd"))

    seen: list[int] = []
    aggregate(
        [InputFile(day, f"{number}.csv") for number in range(MOST_INPUTS)],
        tmp_path / "totals.csv",
        limits=Limits(threads=1),
        on_progress=lambda progress: seen.append(len(os.listdir("/dev/fd"))),
    )

    assert (tmp_path / "totals.csv").read_bytes() == TOTALS_HEADER + b"a,2020-01-01,10000\n"
    assert max(seen) < opened + 20
    assert len(jobs[0].batches) < 10


def test_of_many_inputs_as_many_are_sampled_as_there_are_samples() -> None:
    layout = Layout(b",", 3, (0,), 1, 2, data_start=0, first_line=1)
    sources = [Source(Path("a"), Path("a"), 100, layout)] * (3 * SAMPLES)

    assert sum(stretches_of(sources)) == SAMPLES
    assert max(stretches_of(sources)) == 1
    small = [Source(Path("a"), Path("a"), size, layout) for size in (1, 10_000, 30_000)]
    assert list(stretches_of(small)) == [1, 16, 48]


def test_totals_are_an_input_and_totalled_again_the_same_bytes(tmp_path: Path) -> None:
    songs = ["a", '"b,c"', '"d""e"', '"f\ng"', '"h\r"', " i ", "Song", "Total", '"\ufeffj"', "=1"]
    rows = "".join(f"{song},2020-01-{day:02},{2**62}\n" for song in songs for day in (1, 31))
    run(tmp_path, [written(tmp_path, "plays", HEADER + rows.encode())])
    totals = (tmp_path / "totals.csv").read_bytes()

    summary = run(tmp_path, [written(tmp_path, "again", totals)])

    assert (tmp_path / "totals.csv").read_bytes() == totals
    assert (summary.rows_counted, summary.rows_rejected) == (2 * len(songs), 0)
    assert summary.inputs[0].preset == "totals"


def test_the_totals_of_months_and_a_log_are_those_of_all_logs(tmp_path: Path) -> None:
    months = [
        written(
            tmp_path,
            f"month-{month}",
            HEADER + b"a,2020-%02d-01,%d\nb,2020-01-01,1\n" % (month, month),
        )
        for month in (1, 2, 3)
    ]
    run(tmp_path, months)
    expected = (tmp_path / "totals.csv").read_bytes()
    run(tmp_path, months[:2])
    so_far = written(tmp_path, "so far", (tmp_path / "totals.csv").read_bytes())

    run(tmp_path, [months[2], so_far])

    assert (tmp_path / "totals.csv").read_bytes() == expected


def test_many_inputs_in_many_partitions_are_totalled_as_one(tmp_path: Path) -> None:
    """More of them than are sampled."""
    rows = [b"song %d,2020-01-01,%d\n" % (number % 90, number) for number in range(3 * SAMPLES * 5)]
    days = [HEADER + b"".join(rows[at : at + 5]) for at in range(0, len(rows), 5)]
    inputs = [written(tmp_path, f"{number}.csv", day) for number, day in enumerate(days)]
    alone = written(tmp_path, "alone", HEADER + b"".join(rows))
    limits = Limits(memory_budget_bytes=1, threads=2)

    aggregate(inputs, tmp_path / "many.csv", limits=limits)
    aggregate([alone], tmp_path / "one.csv", limits=limits)

    assert (tmp_path / "many.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_a_damaged_archive_is_named_as_its_owner_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(gzip.compress(HEADER + b"A,2020-01-01,1\n" * 300_000)[:-9])

    with pytest.raises(AggregationError, match="damaged") as caught:
        aggregate([InputFile(path, "march.csv.gz")], tmp_path / "out")

    assert caught.value.source == Path("march.csv.gz")


def test_what_is_in_an_archive_is_counted_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "given"
    with ZipFile(path, "w") as archive:
        archive.writestr("x.csv", HEADER + b"A,2020-01-01,3\nbad\n")
        archive.writestr("y.csv", HEADER + b"B,2020-01-01,4\n")

    summary = aggregate([InputFile(path, "months.zip")], tmp_path / "out")

    found = [(one.name, one.rows_counted, one.rows_rejected) for one in summary.inputs]
    assert found == [("months.zip/x.csv", 1, 1), ("months.zip/y.csv", 1, 0)]
