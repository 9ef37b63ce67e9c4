"""The presets: each recognises its sample, and reads the columns that it should."""

import csv
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError
from bmat.aggregation.options import DATE_FORMATS, ROLES, Options, column_key
from bmat.aggregation.source.preset import DEFAULT, Preset
from bmat.aggregation.source.presets import PRESETS, by_name, recognised_head, recognised_header
from bmat.aggregation.source.readers import open_special
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.reading import SAMPLES, opened, read

DOCUMENT = Path(__file__).parents[3] / "docs" / "presets.md"
OF_HEAD = {
    "dsr.tsv": "dsr",
    "soundexchange.csv": "soundexchange",
    "soundexchange_plain_20260201-20260228.csv": "soundexchange",
    "audioscrobbler.log": "audioscrobbler",
    "listenbrainz.jsonl": "listenbrainz",
    "spotify.json": "spotify",
    "spotify_year.json": "spotify",
    "lastfm_1k.tsv": "lastfm_1k",
}
# Of each sample with a header the delimiter, the line that the header is on, and its first record.
OF_HEADER = {
    "spinitron.csv": ("spinitron", ",", 8, ("Night Bus", "2026-01-05T07:03:07-0500")),
    "suisa.csv": ("suisa", ",", 1, ("Night Bus", "2026-01-05")),
    "totals.csv": ("totals", ",", 1, ("Night Bus", "2026-01-05", "14")),
    "librefm.csv": ("librefm", ",", 2, ("Night Bus", "1767596587")),
    "distrokid.tsv": ("distrokid", "\t", 1, ("Night Bus", "2026-01", "120", "Song")),
    "tunecore.csv": ("tunecore", ",", 1, ("Night Bus", "2026-01-01", "120")),
}
# Columns of a preset that its files may have, and its sample has not.
NOT_IN_SAMPLES = {("spinitron", "isrc"), *(("totals", role) for role in list(ROLES)[2:])}


def rows_of(name: str) -> list[list[str]]:
    lines = (SAMPLES / name).read_text().splitlines()
    return list(csv.reader(lines, delimiter=OF_HEADER[name][1]))


def test_each_sample_is_of_a_preset_and_each_preset_has_one() -> None:
    of_header = {name: row[0] for name, row in OF_HEADER.items()}
    assert {path.name for path in SAMPLES.iterdir()} == {*OF_HEAD, *of_header}
    presets = {preset.name for preset in PRESETS}
    assert {*OF_HEAD.values(), *of_header.values(), "default"} == presets


@pytest.mark.parametrize(("name", "preset"), OF_HEAD.items())
def test_a_sample_is_recognised_by_its_first_bytes(name: str, preset: str) -> None:
    data = (SAMPLES / name).read_bytes()
    for end in (b"\r\n", b"\r"):
        assert recognised_head(data.replace(b"\n", end)) is by_name(preset)
    for head in (data, b"\xef\xbb\xbf" + data):
        assert recognised_head(head) is by_name(preset)


@pytest.mark.parametrize("name", ["listenbrainz.jsonl", "spotify.json"])
def test_empty_arrays_may_stand_before_a_sample(name: str) -> None:
    data = b"[]\n [ ]" + (SAMPLES / name).read_bytes()
    assert recognised_head(data) is by_name(OF_HEAD[name])


@pytest.mark.parametrize("name", OF_HEADER)
def test_a_sample_is_recognised_by_its_header_and_read_by_its_columns(name: str) -> None:
    preset, _, line, first = OF_HEADER[name]
    rows = rows_of(name)
    found = [recognised_header(list(map(column_key, row)), Options()) for row in rows]
    assert [row and row.name for row in found] == [
        preset if number == line else None for number in range(1, len(rows) + 1)
    ]
    fields = by_name(preset).positions([column_key(name) for name in rows[line - 1]], Options())
    assert tuple(rows[line][fields[role]] for role in fields) == first
    assert by_name(preset).has_preamble == (line > 1)
    assert recognised_head((SAMPLES / name).read_bytes()) is None


@pytest.mark.parametrize("name", OF_HEADER)
def test_the_roles_of_a_sample_are_found_in_its_header(name: str) -> None:
    preset, _, line, _ = OF_HEADER[name]
    keys = [column_key(column) for column in rows_of(name)[line - 1]]
    for role in by_name(preset).columns.keys() & ROLES.keys():
        found = role in by_name(preset).positions(keys, Options(group_by=role))
        assert found or (preset, role) in NOT_IN_SAMPLES


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_says_what_a_reader_needs(preset: Preset) -> None:
    assert preset.name == preset.name.lower() and preset.title and preset.specification
    assert preset.columns.keys() <= {*ROLES, "date", "plays", "filter"}
    assert ("filter" in preset.columns) == (preset.keep is not None or preset.listening is not None)
    assert ("plays" in preset.columns) == (preset.plays == "column")
    assert preset.date_format in (*DATE_FORMATS, "month") and preset.quoting in ("csv", "none")
    assert (preset.head is None) == (preset.reader == "header")
    assert preset.fingerprint or preset.reader != "header" or preset is DEFAULT
    assert preset.keep is None or preset.keep.reason in ("not_a_play", "other_record")


@pytest.mark.parametrize("preset", PRESETS[1:], ids=lambda preset: preset.name)
def test_a_preset_has_a_section_in_the_document(preset: Preset) -> None:
    _, _, section = DOCUMENT.read_text().partition(f"\n## {preset.title}\n")
    assert f"`preset={preset.name}`" in section.partition("\n## ")[0]
    assert preset.specification in section.partition("\n## ")[0]


def test_a_name_that_no_preset_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        AggregationError, match="use one of default, totals, dsr, soundexchange"
    ) as raised:
        by_name("dsrf")
    assert raised.value.code == "invalid_option"


@pytest.mark.parametrize(
    "head",
    [
        b"Song,Date,Number of Plays\na,2020-01-01,1\n",
        b"",
        b"{}",
        b"HEADER\tdsrf/1\n",
        b"\n" * 2**17,
        b"[" * 2**17,
        b" \t" * 2**16 + b"{",
        b"#" * 2**17,
        b"user_000001\t2026-01-05\ta\n",
    ],
)
def test_other_files_are_not_recognised(head: bytes) -> None:
    assert recognised_head(head) is None


def test_a_header_that_has_nothing_of_a_preset_is_not_recognised() -> None:
    assert recognised_header(["song", "date", "numberofplays"], Options()) is None


def test_the_options_name_other_columns() -> None:
    options = Options(song_column="Other", plays="column", plays_column="n")
    preset = by_name("suisa")
    assert preset.wanted(options) == ("song", "date", "plays")
    keys = ["n", "sendedatum", "other", "titeldesmusikwerks"]
    assert preset.positions(keys, options) == {"song": 2, "date": 1, "plays": 0}


def test_of_several_names_the_first_that_is_there_is_read() -> None:
    preset, options = by_name("tunecore"), Options(group_by="isrc")
    assert preset.positions(["isrc", "optionalisrc"], options) == {"isrc": 1}
    assert preset.positions(["isrc"], options) == {"isrc": 0}


def test_an_audioscrobbler_log_counts_what_was_listened_to() -> None:
    found = read(SAMPLES / "audioscrobbler.log", group_by="artist,song")
    assert found.plays == [
        ("The Examples", "Night Bus", "1767596587", "1"),
        ("#1 Band", "Hash", "1767597051", "1"),
        ("The Examples", "Night Bus", "1767682987", "1"),
    ]
    layout = found.opened.layout
    assert (found.left_out, layout.first_line, layout.date_format) == (1, 4, "epoch")
    assert layout.filter is not None and layout.filter.reason == "not_a_play"


def test_a_last_fm_export_has_no_header() -> None:
    found = read(SAMPLES / "lastfm_1k.tsv")
    assert found.plays[:2] == [
        ("Night Bus", "2026-01-05T07:03:07Z", "1"),
        ('Days, "Nights"', "2026-01-05T07:07:31Z", "1"),
    ]
    assert (found.opened.header_line, found.opened.layout.data_start) == (0, 0)


def test_fields_are_read_by_position_behind_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\xef\xbb\xbf\r\nartist;album;a song;1;2;L;5\r\n")
    found = read(path, preset="audioscrobbler", delimiter=";")
    assert found.plays == [("a song", "5", "1")] and found.opened.layout.first_line == 1


def test_a_file_of_other_fields_does_not_fit_the_preset_that_was_named(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Song,Date,Number of Plays\n")
    with pytest.raises(AggregationError, match="preset lastfm_1k .* has not the fields userid"):
        opened(path, preset="lastfm_1k")


def test_a_key_that_the_format_does_not_have_is_refused() -> None:
    message = "preset lastfm_1k .*: it has no isrc; if yours has, name it in isrc_column"
    with pytest.raises(AggregationError, match=message) as raised:
        opened(SAMPLES / "lastfm_1k.tsv", group_by="isrc")
    assert raised.value.code == "missing_column"


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(AggregationError, match="it has no column 'name'"):
        opened(SAMPLES / "lastfm_1k.tsv", song_column="name")


def test_a_line_of_the_header_is_refused_where_there_is_no_header() -> None:
    with pytest.raises(AggregationError, match="header_line cannot be 3") as raised:
        opened(SAMPLES / "lastfm_1k.tsv", header_line=3)
    assert raised.value.code == "invalid_option"


@pytest.mark.parametrize("name", ["dsr.tsv", "soundexchange.csv"])
def test_of_the_beginning_of_a_file_nothing_is_counted(name: str, tmp_path: Path) -> None:
    path, told = tmp_path / name, list[int]()
    data = (SAMPLES / name).read_bytes()
    path.write_bytes(data[: data.index(b"Night Bus")])
    preset = by_name(OF_HEAD[name])
    with pytest.raises(AggregationError):
        opened(path)
    file = open_special(preset, path, path, path, Options(), told.append, is_whole=False)
    assert file.layout.fixed_day is not None and told == []


def test_the_other_options_are_passed_on() -> None:
    given = {"date_format": "dmy", "thousands": ",", "quoting": "csv", "plays": "column"}
    layout = opened(SAMPLES / "lastfm_1k.tsv", plays_column="userid", **given).layout
    assert (layout.date_format, layout.thousands, layout.is_quoted) == ("dmy", ",", True)
    assert (layout.plays, layout.filter, layout.fixed_day) == (0, None, None)


# Of each sample its totals, the records that are left out, and the warnings.
OUTCOMES = {
    "audioscrobbler.log": (
        "Hash,2026-01-05,1|Night Bus,2026-01-05,1|Night Bus,2026-01-06,1",
        {"not_a_play": 1},
        [],
    ),
    "distrokid.tsv": (
        '"Days, Nights",2025-12-01,7|Night Bus,2026-01-01,120',
        {"not_a_play": 1},
        ["dates_are_periods"],
    ),
    "dsr.tsv": (
        '"12"" Mix",2026-01-05,7|Night Bus,2026-01-05,15|Älter,2026-01-05,5',
        {"other_record": 4},
        [],
    ),
    "lastfm_1k.tsv": (
        '"Days, ""Nights""",2026-01-05,1|Night Bus,2026-01-05,1|Night Bus,2026-01-06,1',
        {},
        [],
    ),
    "librefm.csv": (
        '"Days, Nights",2026-01-05,1|Night Bus,2026-01-05,1|Night Bus,2026-01-06,1',
        {},
        [],
    ),
    "listenbrainz.jsonl": (
        '"Days, ""Nights""",2026-01-05,1|Night Bus,2026-01-05,1|Night Bus,2026-01-06,1',
        {},
        [],
    ),
    "soundexchange.csv": (
        '"Days, Nights",2026-01-01,5|Night Bus,2026-01-01,14',
        {},
        ["dates_are_periods"],
    ),
    "spinitron.csv": ('"Days, Nights",2026-01-05,1|Night Bus,2026-01-05,2', {}, []),
    "spotify.json": ("Night Bus,2026-01-05,1|Night Bus,2026-01-06,1", {"not_a_play": 2}, []),
    "spotify_year.json": ("Night Bus,2026-01-05,1", {"not_a_play": 1}, []),
    "suisa.csv": (
        'Night Bus,2026-01-05,1|Night Bus,2026-01-06,1|"Tage, Nächte",2026-01-05,1',
        {},
        [],
    ),
    "totals.csv": (
        '"Days, Nights",2026-01-05,9223372036854775807|Night Bus,2026-01-05,14|'
        "Night Bus,2026-01-06,0",
        {},
        [],
    ),
    "tunecore.csv": (
        '"Days, Nights",2026-01-01,1|Night Bus,2025-12-01,30|Night Bus,2026-01-01,120',
        {},
        ["dates_are_periods"],
    ),
}


@pytest.mark.parametrize("block_bytes", [40, 2**20])
@pytest.mark.parametrize("name", OUTCOMES)
def test_a_run_counts_a_sample(run: Run, name: str, block_bytes: int) -> None:
    totals, left_out, warnings = OUTCOMES[name]
    data = (SAMPLES / name).read_bytes()
    result = run(data, block_bytes=block_bytes)
    assert result.totals.decode() == totals.replace("|", "\n") + "\n"
    assert result.summary.left_out_by_reason == left_out
    assert [warning.code for warning in result.summary.warnings] == warnings
    assert result.summary.bytes_read == len(data)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_sample_with_old_line_ends_is_the_same(run: Run, name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    old, new = run(data.replace(b"\n", b"\r")), run(data)
    assert (old.totals, old.rejects) == (new.totals, new.rejects)
    assert old.summary.left_out_by_reason == new.summary.left_out_by_reason
    assert [one.header_line for one in old.summary.inputs] == [
        one.header_line for one in new.summary.inputs
    ]


def test_rejected_json_is_listed_by_its_own_line_and_path(run: Run) -> None:
    good = '{"listened_at": 1577836800, "track_metadata": {"track_name": "a"}}'
    bad = '{"listened_at": "soon", "track_metadata": {"track_name": "b"}}'
    nameless = '{"listened_at": 1577836800, "track_metadata": {}}'
    result = run("\n".join([good, bad, "{oh", "", nameless, good]).encode())
    assert result.totals == b"a,2020-01-01,2\n"
    lines = result.rejects.decode().splitlines()
    assert lines[0].startswith('2,invalid_date,"listened_at: {""listened_at"": ""soon"",')
    assert lines[1] == "3,malformed_json,{oh"
    assert lines[2].startswith('5,missing_field,"track_metadata.track_name: {""listened_at""')


def test_where_all_is_rejected_the_preset_is_named(run: Run) -> None:
    with pytest.raises(AggregationError, match=r"\(1 invalid_date\) under the preset librefm, the"):
        run(b"Artist,Track,Time\nx,a,2026-01-05\n")


def test_a_strict_run_names_the_json_at_fault(run: Run) -> None:
    good = b'{"listened_at": 1577836800, "track_metadata": {"track_name": "a"}}\n'
    with pytest.raises(AggregationError, match=r"Line 3 .*\(malformed_json\): '\[\]'"):
        run(good + b"\n[]\n", strict=True)
