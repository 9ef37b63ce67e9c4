"""JSON: what of it is counted, what is rejected and why, and where it lies in its file."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation import AggregationError
from bmat.aggregation.options import Bounds, Options
from bmat.aggregation.source import json_text
from bmat.aggregation.source.json_records import Original, original_of
from bmat.aggregation.source.json_text import Fault, records_of
from bmat.aggregation.source.opened import Opened
from bmat.aggregation.source.presets import by_name
from bmat.aggregation.source.readers import open_special
from bmat.aggregation.tests.reading import SAMPLES, opened, read, split

LISTENS, SPOTIFY, YEAR = (
    (SAMPLES / name).read_bytes()
    for name in ("listenbrainz.jsonl", "spotify.json", "spotify_year.json")
)

LISTEN = b'{"listened_at":5,"track_metadata":{"track_name":"a","artist_name":"b"}}'
PLAY = b'{"ts":"2026-01-05T01:02:03Z","ms_played":30000,"master_metadata_track_name":"a"}'
Save = Callable[[bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(data: bytes) -> Path:
        (tmp_path / "in.json").write_bytes(data)
        return tmp_path / "in.json"

    return saved


def rejected(file: Opened, reason: str, number: int = 0) -> Original:
    """How record `number` of the written file is told of, once it is rejected for `reason`."""
    assert file.json is not None
    record = file.path.read_bytes().split(b"\n")[number]
    with file.json.path.open("rb") as original:
        return original_of(file.json, original, reason, record)


@pytest.fixture(params=[1, 2, 3, 5, 50, 2**20])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many bytes are read at a time, from the first on."""
    size: int = request.param
    monkeypatch.setattr(json_text, "HEAD_BYTES", min(max(size, 4), json_text.HEAD_BYTES))
    return size


def texts(data: bytes, size: int = 2**20, longest: int = 2**20) -> list[object]:
    """The text of each record of `data`, or what is wrong with it, read in chunks of `size`."""
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    return [
        data[start:stop] if isinstance(found, dict) else (found.name, data[start:stop])
        for start, stop, _, found in records_of(chunks, longest)
    ]


def lines(data: bytes) -> list[int]:
    return [line for _, _, line, _ in records_of([data], 2**20)]


def test_a_listen_is_a_play_at_its_time(save: Save) -> None:
    found = read(save(LISTENS), group_by="song,artist,isrc,service")
    assert found.plays == [
        ("Night Bus", "The Examples", "DEA012600001", "music.example", "1767596587", "1"),
        ('Days, "Nights"', "Ada & Grace", "", "", "1767596851", "1"),
        ("Night Bus", "The Examples", "", "", "1767682987", "1"),
    ]
    assert found.left_out == 0 and found.opened.layout.date_format == "epoch"


def test_what_spotify_calls_played_is_so_from_half_a_minute_on(save: Save) -> None:
    found = read(save(SPOTIFY), group_by="song,territory")
    assert found.plays == [
        ("Night Bus", "DE", "2026-01-05T07:03:07Z", "1"),
        ("Night Bus", "AT", "2026-01-06T00:02:00Z", "1"),
    ]
    layout = found.opened.layout
    assert found.left_out == 2 and layout.filter is not None
    assert layout.filter.reason == "not_a_play"


def test_the_history_of_a_year_has_other_names(save: Save) -> None:
    found = read(save(YEAR), group_by="artist,song")
    assert found.plays == [("The Examples", "Night Bus", "2026-01-05 07:03", "1")]
    assert found.left_out == 1


def test_other_fields_may_be_read_and_counted(save: Save) -> None:
    path = save(b'{"s": {"t": "x"}, "d": "2026-01-05", "n": 3}\n{"s": "x", "d": "", "n": true}')
    given = {"song_column": "s.t", "date_column": "d", "plays": "column", "plays_column": "n"}
    file = opened(path, preset="listenbrainz", **given)
    assert file.path.read_bytes() == b"0:44:1\t1\tx\t2026-01-05\t3\n45:75:2\t1\ts.t\n"
    assert (file.layout.plays, file.layout.field_count) == (4, 5)


@pytest.mark.parametrize("option", ["delimiter", "quoting", "header_line"])
def test_options_of_lines_and_fields_are_refused(option: str) -> None:
    value = {"delimiter": ";", "quoting": "none", "header_line": 1}[option]
    with pytest.raises(AggregationError, match=f"option {option} cannot be") as raised:
        opened(SAMPLES / "spotify.json", **{option: value})
    assert raised.value.code == "invalid_option"


@pytest.mark.parametrize("given", [{"group_by": "territory"}, {"plays": "column"}])
def test_fields_that_the_format_does_not_have_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(AggregationError, match="it has no (territory|plays); if yours") as raised:
        opened(SAMPLES / "listenbrainz.jsonl", **given)
    assert raised.value.code == "missing_column"


def record_of(save: Save, text: str, **given: object) -> str:
    """The one record that a listen is turned into, behind its extent."""
    file = opened(save(text.encode("utf-8", "surrogatepass")), preset="listenbrainz", **given)
    _, _, record = file.path.read_bytes().rstrip(b"\n").partition(b"\t")
    return record.decode("utf-8", "surrogatepass")


def listen(song: object = "a", at: object = 5) -> str:
    return json.dumps({"listened_at": at, "track_metadata": {"track_name": song}})


@pytest.mark.parametrize("song", [None, 1, 1.0, True, ["a"], {"a": "b"}])
def test_a_song_that_is_no_text_is_missing(save: Save, song: object) -> None:
    assert record_of(save, listen(song=song)) == "1\ttrack_metadata.track_name"


@pytest.mark.parametrize("text", ["{}", '{"track_metadata": 5}', '{"track_metadata": null}'])
def test_a_song_without_an_object_around_it_is_missing(save: Save, text: str) -> None:
    assert record_of(save, text) == "1\ttrack_metadata.track_name"


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (None, "1\tlistened_at"),
        (True, "1\ta\t?"),
        ([], "1\ta\t?"),
        ({}, "1\ta\t?"),
        ("", "1\ta\t"),
        (" 12 ", "1\ta\t12"),
        (1.5, "1\ta\t1.5"),
        ("1\t2", '"1"\t"a"\t"1\t2"'),
        (10**300, f"1\ta\t{10**300}"),
        ("9" * 5000, "1\ta\t?"),
    ],
)
def test_a_date_is_written_as_it_is(save: Save, at: object, written: str) -> None:
    assert record_of(save, listen(at=at)) == written


def test_a_number_of_many_digits_is_no_number_to_compute_with(save: Save) -> None:
    text = listen().replace("5", "5" * 100_000)
    assert record_of(save, text) == "1\ta\t?"


@pytest.mark.parametrize("song", ["", " ", "a\tb", "a\nb", "a\r", '"a"', "\0", "é\u2028", "\ufeff"])
def test_a_title_comes_out_as_it_went_in(save: Save, song: str) -> None:
    assert read(save(listen(song).encode()), preset="listenbrainz").plays == [(song, "5", "1")]


def test_what_is_no_text_becomes_bytes_that_are_none(save: Save) -> None:
    for text in (rb"\ud800", rb"\udcc3\udca9", b"\xff", b"\xed\xa0\x80"):
        file = opened(save(LISTEN.replace(b'"a"', b'"' + text + b'"')))
        song = file.path.read_bytes().split(b"\t")[2]
        with pytest.raises(UnicodeDecodeError):
            song.decode()
        assert rejected(file, "invalid_encoding").path == "track_metadata.track_name"
    assert record_of(save, listen("a\U0001f68c").replace("a", "\\u0061")) == "1\ta\U0001f68c\t5"


def test_bytes_that_are_no_text_do_no_harm_where_nobody_reads(save: Save) -> None:
    data = LISTEN.replace(b'"b"', b'"\xff\xfe"')
    for text in (data, b"[" + data + b"," + data + b"]"):
        assert read(save(text)).plays[0] == ("a", "5", "1")


def test_a_title_that_is_too_long_stays_so(save: Save) -> None:
    assert len(record_of(save, listen("é" * 5000))) == len("1\t" + "é" * 4097 + "\t5")


@pytest.mark.parametrize(
    ("played", "record"),
    [
        (b"30000", b"1\ta\t2026-01-05T01:02:03Z"),
        (b"29999", b"0"),
        (b"0", b"0"),
        (b"9" * 5000, b"1\ta\t2026-01-05T01:02:03Z"),
        (b'"30000"', b"1\tms_played or msPlayed"),
        (b"-1", b"1\tms_played or msPlayed"),
        (b"3e4", b"1\tms_played or msPlayed"),
        (b"null", b"1\tms_played or msPlayed"),
    ],
)
def test_how_long_it_was_played_is_a_whole_number(save: Save, played: bytes, record: bytes) -> None:
    file = opened(save(b"[" + PLAY.replace(b"30000", played) + b"]"))
    assert file.path.read_bytes().split(b"\t", 1)[1] == record + b"\n"


def test_a_play_of_nothing_is_rejected_but_not_an_episode(save: Save) -> None:
    nothing = PLAY.replace(b'"a"', b"null")
    episode = nothing.replace(b"{", b'{"episode_name":"e",')
    book = nothing.replace(b"{", b'{"episode_name":null,"audiobook_title":"b",')
    file = opened(save(b"[" + b",".join([nothing, episode, book]) + b"]"), group_by="artist")
    written = [line.split(b"\t", 1)[1] for line in file.path.read_bytes().splitlines()]
    assert written == [b"1\t\t2026-01-05T01:02:03Z", b"0", b"0"]
    without = rejected(opened(save(b"[" + nothing + b"]")), "missing_field")
    assert without == Original(1, nothing, "master_metadata_track_name or trackName")


@pytest.mark.parametrize("name", [b"episodeName", b"audiobookName"])
def test_of_the_last_year_what_is_no_song_has_files_of_its_own(save: Save, name: bytes) -> None:
    play = b'{"endTime": "2026-01-05 07:03", "%s": "a", "msPlayed": 30000}' % name
    file = opened(save(b"[" + play + b"]"), preset="spotify")
    assert file.path.read_bytes().split(b"\t", 1)[1] == b"0\n"


def test_a_reject_is_told_by_its_line_its_text_and_its_field(save: Save) -> None:
    bad = LISTEN.replace(b"5", b'"never"')
    file = opened(save(LISTEN + b"\n\n" + bad + b"\r\n{]\n"))
    assert rejected(file, "invalid_date", 1) == Original(3, bad, "listened_at")
    assert rejected(file, "empty_song", 1).path == "track_metadata.track_name"
    assert rejected(file, "malformed_json", 2) == Original(4, b"{]", "")


def test_of_a_long_reject_the_beginning_is_told(save: Save) -> None:
    text = LISTEN.replace(b'"b"', b'"' + b"b" * 2000 + b'"')
    assert rejected(opened(save(text)), "invalid_date").record == text[:1024]


def test_counts_have_a_field_as_well(save: Save) -> None:
    path = save(LISTEN)
    file = opened(path, plays="column", plays_column="n\t")
    assert rejected(file, "negative_plays").path == "n\t"
    assert rejected(file, "missing_field").path == r"n\t"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"Song,Date,Number of Plays\na,2020-01-01,1\n", "missing_column"),
        (b"<html>", "not_text"),
        (PLAY.decode().encode("utf-16-le"), "not_text"),
    ],
)
def test_a_file_that_is_no_json_fits_no_preset_of_it(save: Save, data: bytes, code: str) -> None:
    with pytest.raises(AggregationError) as raised:
        opened(save(data), preset="spotify")
    assert raised.value.code == code


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf", b"x\n\xef\xbb\xbf {}", b"x\r[]"])
def test_a_line_of_it_is_enough(save: Save, data: bytes) -> None:
    assert opened(save(data), preset="spotify").json is not None


def test_what_is_no_object_has_a_field_too_many(save: Save) -> None:
    file = opened(save(b"5\n" + LISTEN), preset="listenbrainz", group_by="song,artist")
    [malformed, counted] = split(file.path.read_bytes(), file.layout)
    assert (len(counted), len(malformed)) == (file.layout.field_count, file.layout.field_count + 1)
    assert malformed[-1] and malformed[1] == "1"


def test_what_is_too_long_has_a_key_that_is_too_long(save: Save) -> None:
    for begin, end in ((b"", b""), (b"[", b"]")):
        long = LISTEN.replace(b'"b"', b'"' + b"b" * 2**20 + b'"')
        file = opened(save(begin + long + end))
        [record] = split(file.path.read_bytes(), file.layout)
        assert record[1:] == ["1", "x" * 4097, ""]
        assert record[0] == f"{len(begin)}:{len(begin) + len(long)}:1"


def test_progress_is_told_and_may_end_it(save: Save) -> None:
    path, told = save(LISTEN * 2), list[int]()
    target, preset = path.with_name("made"), by_name("listenbrainz")
    open_special(preset, path, target, path, Options(), told.append)
    assert told == [path.stat().st_size]

    def cancel(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        open_special(preset, path, target, path, Options(), cancel)


def test_a_smaller_bound_holds(save: Save) -> None:
    options = Options(bounds=Bounds(record=len(LISTEN), quoted_field=64, song=2))
    path = save(LISTEN + b"\n" + LISTEN + b" {")
    file = open_special(
        by_name("listenbrainz"), path, path.with_name("o"), path, options, lambda done: None
    )
    assert [line[-4:] for line in file.path.read_bytes().splitlines()] == [b"\ta\t5", b"xxx\t"]


LINES = [
    (b"", []),
    (b" \n\r\n\t\n", []),
    (b'{"a":1}', [b'{"a":1}']),
    (b'{"a":1}\r\n {"b":2}\t\r\r\n', [b'{"a":1}', b' {"b":2}']),
    (b'\xef\xbb\xbf{"a":1}\n\xef\xbb\xbf{"b":2}', [b'\xef\xbb\xbf{"a":1}', b'\xef\xbb\xbf{"b":2}']),
    (b'{"a":1} {"b":2}', [("MALFORMED", b'{"a":1} {"b":2}')]),
    (b'{"a":"x\n{"b":2}', [("MALFORMED", b'{"a":"x'), b'{"b":2}']),
    (b'{"a":1,}\n{"b":2}', [("MALFORMED", b'{"a":1,}'), b'{"b":2}']),
    (b'{"a":1,"a":2}', [("MALFORMED", b'{"a":1,"a":2}')]),
    (b'{"x":{"a":1,"a":2}}', [("MALFORMED", b'{"x":{"a":1,"a":2}}')]),
    (b'{"a":NaN}', [("MALFORMED", b'{"a":NaN}')]),
    (b'{"a":-Infinity}', [("MALFORMED", b'{"a":-Infinity}')]),
    (b'{"a":01}', [("MALFORMED", b'{"a":01}')]),
    (b"{'a':1}", [("MALFORMED", b"{'a':1}")]),
    (b"null\ntrue", [("MALFORMED", b"null"), ("MALFORMED", b"true")]),
    (b'{}\n[{"a":1}]', [b"{}", ("MALFORMED", b'[{"a":1}]')]),
    (b'{"a":1e999999,"b":' + b"9" * 9999 + b"}", [b'{"a":1e999999,"b":' + b"9" * 9999 + b"}"]),
    (b"\x00", [("MALFORMED", b"\x00")]),
    (b'\xbb{"a":1}', [("MALFORMED", b'\xbb{"a":1}')]),
    ("{}".encode("utf-16"), [("MALFORMED", "{}".encode("utf-16"))]),
]
ARRAYS = [
    (b"[]", []),
    (b"\xef\xbb\xbf \n[ ]\n", []),
    (b'[{"a":1},{"b":2}]', [b'{"a":1}', b'{"b":2}']),
    (b'[\n  {\n "a": 1\n },\n {}\n]\n', [b'{\n "a": 1\n }', b"{}"]),
    ('[{"é":"€"}, {"a":"🚌"}]'.encode(), ['{"é":"€"}'.encode(), '{"a":"🚌"}'.encode()]),
    (b'[{"a":1}][{"b":2}]', [b'{"a":1}', b'{"b":2}']),
    (b'[{"a":1}]\n,\n[{"b":2}],[]', [b'{"a":1}', b'{"b":2}']),
    (b'[{"a":1},]', [b'{"a":1}']),
    (b'[,{"a":1},,{"b":2}]', [b'{"a":1}', b'{"b":2}']),
    (b'[{"a":[{"b":1},{"c":2}]}]', [b'{"a":[{"b":1},{"c":2}]}']),
    (b"[[{}],5]", [("MALFORMED", b"[{}]"), ("MALFORMED", b"5")]),
    (b"[1.5, 2]", [("MALFORMED", b"1.5"), ("MALFORMED", b"2")]),
    (b"[", [("MALFORMED", b"")]),
    (b'[{"a":1}', [b'{"a":1}', ("MALFORMED", b"")]),
    (b'[{"a":1},\n', [b'{"a":1}', ("MALFORMED", b"")]),
    (b'[{"a":1},{"b":"tru', [b'{"a":1}', ("MALFORMED", b'{"b":"tru')]),
    (b'[{"a":1},{"b":},{"c":3}]', [b'{"a":1}', ("MALFORMED", b'{"b":}'), b'{"c":3}']),
    (b'[{"a":1},{"b":}] ', [b'{"a":1}', ("MALFORMED", b'{"b":}')]),
    (b'[{"b":}]\n[{"c":3}]', [("MALFORMED", b'{"b":}'), b'{"c":3}']),
    (b'[{"a":NaN} , {"c":3}]', [("MALFORMED", b'{"a":NaN}'), b'{"c":3}']),
    (b'[{"a":1,"a":1}, {"c":3}]', [("MALFORMED", b'{"a":1,"a":1}'), b'{"c":3}']),
    (b"[{}]x[{}]", [b"{}", ("MALFORMED", b"x"), b"{}"]),
    (b"[{}]x", [b"{}", ("MALFORMED", b"x")]),
    (b"[]]]", [("MALFORMED", b"]"), ("MALFORMED", b"]")]),
    (b"[{}x,{}]", [b"{}", ("MALFORMED", b"x,{}")]),
]


@pytest.mark.parametrize(("data", "found"), LINES + ARRAYS)
def test_records_of_all_kinds(data: bytes, found: list[object], size: int) -> None:
    assert texts(data, size) == found


def test_deeply_nested_braces_are_malformed() -> None:
    line, array = b'{"a":' + b"[" * 100_000, b"[" * 99_999
    assert texts(line) == [("MALFORMED", line)]
    assert texts(array) == [("MALFORMED", array[1:])]


def test_lines_may_end_with_cr_alone() -> None:
    assert texts(b'{"a":1}\r{"b":2}\r') == [b'{"a":1}', b'{"b":2}']


def test_an_array_may_stand_behind_much_white_space() -> None:
    for begin in (b" ", b"\n"):
        assert texts(begin * 2**17 + b"[{}]", 2**10) == [b"{}"]


def test_records_are_told_by_the_line_they_begin_on() -> None:
    assert lines(b'\n{}\r\n\r\n{"a":\n{}') == [2, 4, 5]
    assert lines(b"{}\r\r{}") == [1, 3]
    assert lines(b'[\r{},\r\r{"a":\r1}, {}\r]') == [2, 4, 5]
    assert lines(b'[\n{},\n\n{"a":\n1},{"b":},\n{}]') == [2, 4, 5, 6]


def test_a_record_that_is_too_long_is_passed_over(size: int) -> None:
    long = b'{"a":"' + b"x" * 99 + b'"}'
    told = ("TOO_LONG", long)
    assert texts(b"{}\n" + long + b"\n{}\n", size, 100) == [b"{}", told, b"{}"]
    assert texts(b"{}\n" + long + b" \n", size, len(long)) == [b"{}", long]
    assert texts(b"[{}, " + long + b", {}]", size, 100) == [b"{}", told, b"{}"]
    assert texts(b"[{}, " + long + b"]", size, 100) == [b"{}", told]
    assert texts(b"[" + long, size, len(long)) == [long, ("MALFORMED", b"")]


def test_a_malformed_record_that_is_too_long_is_passed_over(size: int) -> None:
    long = b'{"a":' + b"{}" * 60 + b"}"
    told = ("TOO_LONG", long)
    assert texts(b"[" + long + b" " * 50 + b",{}]", size, 100) == [told, b"{}"]
    assert texts(b"[" + long + b" " * 50 + b"]", size, 100) == [told]


def test_white_space_between_records_may_be_longer_than_a_record(size: int) -> None:
    assert texts(b"[{}," + b" " * 500 + b"{}" + b"\n" * 500 + b"]", size, 100) == [b"{}", b"{}"]


def test_white_space_without_end_hides_the_end_of_a_malformed_record() -> None:
    data = b'[{"a":}' + b" " * 500 + b",{}]"
    found = list(json_text.records_in_arrays(iter([data[:100], data[100:400], data[400:]]), 100))
    assert found == [(1, len(data) - 1, 1, Fault.TOO_LONG)]


def test_memory_is_bounded_whatever_a_record_is(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    for begin in (b'{"a":"', b'[{"a":"', b"[" + b" " * 100, b"\n"):
        with path.open("wb") as file:
            file.write(begin)
            for _ in range(64):
                file.write(b"x" * 2**20)
        with path.open("rb") as file:
            tracemalloc.start()
            chunks = iter(lambda: file.read(2**20), b"")
            found = [fault for _, _, _, fault in records_of(chunks, 2**20)]
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert found == [Fault.TOO_LONG] and peak < 16 * 2**20


def test_less_text_is_kept_where_records_are_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "PASSED_WITH_ERRORS", 50)
    data = b"[" + b",\n".join([b'{"a":}', b'{"a":1}'] * 500) + b"]"
    assert texts(data) == [("MALFORMED", b'{"a":}'), b'{"a":1}'] * 500


NAMES = st.text(max_size=5)
SCALARS = st.sampled_from([None, True, 1, -2.5e9, 10**30]) | NAMES
OBJECTS = st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=2), max_size=3)
NESTED = st.dictionaries(NAMES, SCALARS | OBJECTS | st.lists(OBJECTS, max_size=2), max_size=3)


@given(st.lists(NESTED, max_size=3), st.sampled_from([None, 0, 1]), st.booleans())
def test_arrays_have_the_objects_that_python_reads(
    objects: list[dict[str, object]], indent: int | None, is_ascii: bool
) -> None:
    text = json.dumps(objects, indent=indent, ensure_ascii=is_ascii, allow_nan=False)
    found = texts(text.encode("utf-8", "surrogatepass"))
    assert [json.loads(item) for item in found if isinstance(item, bytes)] == json.loads(text)


@given(st.text('[]{}:,"a1\\ \n\ufeffé').map(str.encode), st.integers(1, 20), st.integers(1, 9))
def test_any_text_is_read_to_its_end_whatever_the_chunks(
    data: bytes, size: int, longest: int
) -> None:
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    found = list(json_text.records_in_arrays(iter(chunks), 2**20))
    assert found == list(json_text.records_in_arrays(iter([data]), 2**20))
    bounded = list(json_text.records_in_arrays(iter(chunks), longest))
    for records in (found, bounded, list(json_text.records_in_lines(iter(chunks), longest, b"\n"))):
        ends = [end for start, stop, _, _ in records for end in (start, stop)]
        assert ends == sorted(ends) and set(ends) <= set(range(len(data) + 1))
