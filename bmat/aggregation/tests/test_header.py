"""Where the columns are, and where the data begins."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation import AggregationError, Options
from bmat.aggregation.options import Bounds, column_key
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.results import Extent
from bmat.aggregation.source.head import Head
from bmat.aggregation.source.header import reading_as
from bmat.aggregation.source.layout import Filter, Skipped
from bmat.aggregation.source.open import open_source, reading_of
from bmat.aggregation.source.preset import DEFAULT, Keep
from bmat.aggregation.tests.heads import layout, reading, refused
from bmat.aggregation.tests.running import HEADER

ROW = b"a,2020-01-01,1\n"
BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    "header",
    [
        b"Song,Date,Number of Plays",
        b"SONG,date,NUMBER_OF_PLAYS",
        b" s-o_n g ,Date,number-of-plays",
        b'"Song","Date" ,"Number of Plays"',
        b'Song,Date,"Number\r\nof Plays"',
        b"Song,Date,Number of\tPlays",
        "Song,Date,Number\u00a0of\u2003Plays".encode(),
        "\u200bSong\u00ad,\ufeffDate\u200d,Number of Plays\u2060".encode(),
        "\uff33ong,\u24b9ate,Number of Plays".encode(),
    ],
)
def test_it_compares_names_without_case_spaces_and_what_is_invisible(header: bytes) -> None:
    found = layout(header + b"\n" + ROW)
    assert (found.key, found.date, found.plays) == ((0,), 1, 2)
    assert found.header == header


@pytest.mark.parametrize(
    ("option", "name"),
    [("Título", "Ti\u0301tulo"), ("STRASSE", "straße"), ("Ⅳ", "iv"), ("ﬁ", "FI")],
)
def test_names_are_alike_in_any_normal_form(option: str, name: str) -> None:
    header = f"Date,{name},Number of Plays\n".encode()
    assert layout(header, song_column=option).key == (1,)


def test_the_columns_may_stand_anywhere_among_others() -> None:
    found = layout(b"Number of Plays,x,Date,y,Song,x\n5,,2020-01-01,,a\n")
    assert (found.key, found.date, found.plays, found.field_count) == ((4,), 2, 0, 6)


def test_empty_names_at_the_end_are_columns() -> None:
    assert layout(HEADER.strip() + b",,\n").field_count == 5


def test_it_takes_other_names_as_options() -> None:
    data = b"Track;Day;Spins;Song\na;2020-01-01;5;b\n"
    found = layout(data, song_column="TRACK", date_column="day", plays_column="spins")
    assert (found.key, found.date, found.plays, found.delimiter) == ((0,), 1, 2, b";")


def test_a_key_may_have_several_columns_in_its_own_order() -> None:
    header = b"Artist,Code,Song,Date,Number of Plays\n"
    found = layout(header, group_by="isrc, song,artist", isrc_column="code")
    assert found.key == (1, 2, 0)


def test_only_the_columns_of_the_key_are_wanted() -> None:
    header = b"ISRC,Date,Number of Plays,Artist,artist\n"
    assert layout(header, group_by="isrc").key == (0,)
    assert refused(header, group_by="territory,isrc").code == "missing_column"
    assert refused(header, group_by="artist").code == "duplicate_column"


def test_with_a_play_a_record_there_is_no_column_of_plays() -> None:
    found = layout(b"Date,Song,Number of Plays,Number of Plays\n", plays="one")
    assert (found.key, found.date, found.plays) == ((1,), 0, None)


def test_how_values_are_written_is_handed_on() -> None:
    given = {"date_format": "dmy", "thousands": "space", "quoting": "none"}
    found = layout(HEADER, **given)
    assert (found.date_format, found.thousands, found.is_quoted) == ("dmy", "space", False)
    found = layout(HEADER)
    assert (found.date_format, found.thousands, found.is_quoted) == ("iso", None, True)


def test_without_quoting_quotes_are_ordinary_bytes() -> None:
    assert refused(b'"Song",Date,Number of Plays\n', quoting="none").code == "missing_column"
    found = layout(b'Song,Date,Number of Plays,"x\n', quoting="none")
    assert found.field_count == 4


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_it_reads_the_delimiter_off_the_header(delimiter: bytes) -> None:
    assert layout((HEADER + ROW).replace(b",", delimiter)).delimiter == delimiter


@pytest.mark.parametrize(
    ("option", "delimiter"), [("^", b"^"), ("tab", b"\t"), ("\\t", b"\t"), ("\t", b"\t")]
)
def test_it_takes_the_delimiter_as_an_option(option: str, delimiter: bytes) -> None:
    assert layout(HEADER.replace(b",", delimiter), delimiter=option).delimiter == delimiter


@pytest.mark.parametrize("line", [b"sep=;", b"SEP=;", b'"sep=;"', BOM + b"sep=;"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r\r\n", b"\r"])
def test_the_line_of_excel_names_the_delimiter(line: bytes, line_end: bytes) -> None:
    header = b"Song;Date;Number of Plays;a,b"
    data = line + line_end + header + line_end
    found = layout(data)
    assert (found.delimiter, found.field_count, found.first_line) == (b";", 4, 3)
    assert (found.header, found.data_start) == (header, len(data))


def test_the_option_wins_over_the_line_of_excel() -> None:
    assert layout(b"sep=;\n" + HEADER, delimiter=",").delimiter == b","
    assert layout(b"sep=^\nSong^Date^Number of Plays\n", header_line=2).delimiter == b"^"


@pytest.mark.parametrize("line", [b"sep=a", b"sep=", b"sep=;;", b"sep= ;", b"sep=.", b"xsep=;"])
def test_other_lines_are_not_that_of_excel(line: bytes) -> None:
    data = line + b"\n" + HEADER.replace(b",", b";")
    assert refused(data, delimiter=";").code == "missing_column"


@pytest.mark.parametrize("line", [b'"sep=;', b'sep=;"'])
def test_a_stray_quote_in_that_line_costs_it(line: bytes) -> None:
    found = layout(line + b"\n" + HEADER.replace(b",", b";"))
    assert [one.reason for one in found.skipped] == ["unterminated_quote"]


def test_the_line_of_excel_alone_is_no_header() -> None:
    assert refused(b"sep=;\r\n").code == "missing_column"


@pytest.mark.parametrize("before", [b"", b"\n\r\n\n", b"\r\r\n", BOM, BOM + b"\n" + BOM + BOM])
def test_empty_lines_and_marks_before_the_header_are_no_part_of_it(before: bytes) -> None:
    found = layout(before + HEADER + ROW)
    assert found.header == HEADER.strip()
    assert found.first_line == before.count(b"\n") + 2
    assert found.data_start == len(before + HEADER)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r\r\n", b"\r", b"", b"\r\r"])
def test_a_header_ends_like_any_line(line_end: bytes) -> None:
    data = b"\n" + HEADER.strip() + line_end
    found = layout(data)
    assert (found.header, found.data_start) == (HEADER.strip(), len(data))


def test_in_a_file_of_old_line_ends_each_cr_ends_a_line() -> None:
    header = b'Song,Date,Number of Plays,"Not\re"'
    found = layout(b'\r"open\r' + header + b"\r" + b"x" * 2**16 + b"\n")
    assert found.has_cr_ends
    assert (found.first_line, found.header) == (5, header)
    assert [one.line for one in found.skipped] == [2]


def test_one_line_feed_in_the_first_64_kib_makes_a_file_of_new_ones() -> None:
    header = HEADER.strip() + b",x"
    filled = header + b"y" * (2**16 - len(header) - 1)
    assert layout(filled + b"\r" + ROW).has_cr_ends
    assert not layout(filled + b"\n" + b"\r" * 9).has_cr_ends
    assert layout(filled + b"\r\n" + ROW).has_cr_ends


def test_a_header_line_is_named_by_its_number() -> None:
    data = b'Report\n"a\n\xef\xbb\xbf' + HEADER + ROW
    found = layout(data, header_line=3)
    assert (found.header, found.first_line, found.skipped) == (HEADER.strip(), 4, ())
    assert reading(data, header_line=3).header_line == 3


def test_a_header_line_of_a_file_of_old_line_ends() -> None:
    data = b"Report\rof\r\nplays\r" + HEADER.replace(b"\n", b"\r") + b"x" * 2**16
    assert layout(data.replace(b"\r\n", b"\r"), header_line=4).first_line == 5


@pytest.mark.parametrize("line", [1, 2, 3, 5, 6, 7, 10**12])
def test_a_line_that_is_no_header_is_a_missing_column(line: int) -> None:
    data = b'x\n\xef\xbb\xbf\n"\n' + HEADER + b'a,"b\n'
    assert refused(data, header_line=line).code == "missing_column"


def test_a_header_line_behind_the_first_mebibyte_is_none() -> None:
    data = b"x\n" * 2**19
    assert refused(data, header_line=2**19 + 1).code == "missing_column"
    assert refused(data + HEADER, header_line=2**19 + 1).code == "not_text"
    assert refused(data + b"\n\n", header_line=2**19 + 2).code == "not_text"


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_a_file_without_header_is_data_from_its_first_record(delimiter: bytes) -> None:
    found = reading((BOM + b"\n" + ROW).replace(b",", delimiter))
    assert found.layout is not None
    assert (found.layout.key, found.layout.date, found.layout.plays) == ((0,), 1, 2)
    assert (found.layout.data_start, found.layout.first_line) == (4, 2)
    assert (found.layout.header, found.layout.field_count, found.header_line) == (b"", 3, 0)


@pytest.mark.parametrize(
    ("row", "options"),
    [
        (b"a,2020-01-01 10:00:00 UTC, 5.0 \n", {}),
        (b"a, 2020-01-01 ,5,,\n", {}),
        (b"a;31.12.2019;1.234\n", {"date_format": "dmy", "thousands": "."}),
        (b'a,1577836800,"1,234"\n', {"date_format": "epoch", "thousands": ","}),
        (b"a|2020-01-01\n", {"plays": "one"}),
        (b",2020-01-01,5\n", {}),
    ],
)
def test_the_first_record_is_data_by_the_options(row: bytes, options: dict[str, str]) -> None:
    assert layout(row, **options).header == b""
    assert layout(row, **options).field_count == (2 if options.get("plays") else 3)


@pytest.mark.parametrize(
    ("row", "options"),
    [
        (b"a,2020-01-01\n", {}),
        (b"a,2020-01-01,5,x\n", {}),
        (b"a,31.12.2019,5\n", {}),
        (b"a,2020-01-01,1.000\n", {}),
        (b"a,2020-01-01,5\n", {"date_format": "dmy"}),
        (b"a,2020-01-01,5\n", {"plays": "one"}),
        (b"a,2020-01-01,5\n", {"header_line": 1}),
        (b"a,2020-01-01,5\n", {"group_by": "artist"}),
        (b"a,2020-01-01,5\n", {"group_by": "song,artist"}),
    ],
)
def test_other_first_records_are_none(row: bytes, options: dict[str, object]) -> None:
    assert refused(row, **options).code == "missing_column"


def test_a_header_may_hold_a_newline() -> None:
    assert layout(b'Song,Date,Number of Plays,"Not\ne"\nbad\n').first_line == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'"oops', "unterminated_quote"),
        (b'x,"45" Single', "malformed_quotes"),
        (b'"He said \\"Hi\\""', "malformed_quotes"),
    ],
)
def test_a_stray_quote_before_the_header_costs_one_line(line: bytes, reason: str) -> None:
    found = layout(b"\n" + BOM + line + b"\r\n\n" + HEADER + ROW)
    extent = Extent(4, 4 + len(line), 6 + len(line))
    assert found.skipped == (Skipped(2, extent, reason),)
    assert (found.first_line, found.header) == (5, HEADER.strip())


def test_a_stray_quote_in_the_first_record_of_a_file_without_header() -> None:
    found = layout(b',"a,2020-01-01,9\n' + ROW)
    assert [(one.line, one.reason) for one in found.skipped] == [(1, "unterminated_quote")]
    assert (found.first_line, found.data_start) == (2, 17)


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\n\r\r", b"\r", BOM, BOM + b"\n" + BOM])
@pytest.mark.parametrize("options", [{}, {"header_line": 3}, {"preset": "spinitron"}])
def test_a_file_of_nothing_is_an_error(data: bytes, options: dict[str, object]) -> None:
    error = refused(data, **options)
    assert error.code == "empty_file"
    assert str(error) == "The file is empty: it needs a header and at least one record."


def header_of(size: int) -> bytes:
    """A header of so many bytes, without its line end."""
    return HEADER.strip().ljust(size - 1, b",") + b"x"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r\r\n"])
def test_a_header_may_take_a_mebibyte(line_end: bytes) -> None:
    assert layout(header_of(2**20) + line_end + ROW).first_line == 2
    assert layout(b"\n\n" + header_of(2**20 - 2) + line_end + ROW).first_line == 4


@pytest.mark.parametrize(
    "data",
    [
        header_of(2**20 + 1) + b"\n" + ROW,
        b"\n" + header_of(2**20) + b"\n" + ROW,
        b"\r\n" * 2**20 + HEADER + ROW,
        b'"open\n' + b"x" * 2**20 + HEADER + ROW,
        b"x" * 2**20 + "é".encode() * 2**20,
        HEADER.strip() + b"," + b'"' + b"x" * (2**20 - 60) + b'"' + b" " * 40,
    ],
)
def test_a_header_that_ends_behind_the_first_mebibyte_is_none(data: bytes) -> None:
    error = refused(data + b"x" * 2**20)
    assert error.code == "not_text"
    assert error.message == (
        "The file is not a CSV text: it looks like text without a header in its first MiB. "
        "Upload it as CSV, one record on a line."
    )


def test_what_is_behind_the_first_mebibyte_may_decide_what_is_before_it() -> None:
    # A quoted field that opens just before it, and 64 KiB of spaces behind that: only what follows
    # tells that its line is rejected, and that the header is on the next one.
    header = b"\n" + HEADER
    line = b"y" * (2**20 - len(header) - 4) + b',"z'
    data = line + header + b"x" * (2**16 - len(header) - 1) + b'"' + b" " * 2**16
    assert layout(data + b"x").skipped[0].reason == "malformed_quotes"
    assert refused(data + b",", delimiter=",").code == "not_text"


def outcome(data: bytes, options: Options) -> object:
    """How a file is read that begins with `data`, or the code of its error."""
    try:
        return reading_of(data, options, Path("in.csv"))
    except AggregationError as error:
        return error.code


PIECES = [
    b'"',
    b'""',
    b",",
    b";",
    b" ",
    b"\n",
    b"a",
    BOM,
    b"Song",
    b"Date",
    b"Number of Plays",
    ROW,
]


@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=60),
    header_line=st.sampled_from([None, None, 1, 2, 9]),
    quoted_field=st.integers(0, 8),
)
def test_no_more_is_needed_than_the_bytes_that_are_held(
    pieces: list[bytes], header_line: int | None, quoted_field: int
) -> None:
    data = b"\n" + b"".join(pieces)
    bounds = Bounds(record=40, quoted_field=quoted_field)
    options = Options(header_line=header_line, bounds=bounds)
    assert outcome(data[: bounds.held], options) == outcome(data, options)


@pytest.mark.parametrize(
    "piece",
    [
        *[b"\0", b",", b'"",', b',"', b'"a"b', b"\n", b"\n\r\n", b"\r", b'""', b"\xff", b"x;,|\t"],
        *[BOM, b'""x;\n', b"x\n", b"[", b"<!--", b"QUFB", b"a,b\r"],
    ],
)
def test_no_file_of_gigabytes_takes_long_to_refuse(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(piece * (3 * 2**20 // len(piece)))
    os.truncate(path, 2**32)
    begin = time.process_time()
    with pytest.raises(AggregationError) as caught:
        open_source(path, Options(), tmp_path / "copy", ProgressMeter(None))
    assert caught.value.code in ("not_text", "missing_column")
    # Within a few seconds on an idle machine, and not in the minutes of a square.
    assert time.process_time() - begin < 30


def test_a_column_that_is_there_twice_is_an_error() -> None:
    error = refused(b"Song,Date,song,Number of Plays\n")
    assert error.code == "duplicate_column"
    assert error.message == (
        "The header has the column 'Song' more than once: "
        "it has 'Song', 'Date', 'song', 'Number of Plays'. "
        "Leave one of them, or name the right one in the options."
    )


def test_an_ignored_column_may_be_there_twice() -> None:
    assert layout(HEADER.strip() + b",x,x\n").field_count == 5


SPINITRON = b"Station\nX\n\nDate-time,Artist,Song,Release,Label\n2020-01-01T00:00:00-0500,a,b,c,d\n"
AUDIOSCROBBLER = b"#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/x\nArtist\tAlbum\tTrack\t1\t2\tL\t3\t\n"


@pytest.mark.parametrize("options", [{}, {"preset": "spinitron"}, {"header_line": 4}])
def test_a_preset_is_recognised_or_named(options: dict[str, object]) -> None:
    found = reading(SPINITRON, **options)
    assert (found.preset.name, found.header_line) == ("spinitron", 4)
    assert found.layout is not None
    assert (found.layout.key, found.layout.date, found.layout.plays) == ((2,), 0, None)
    assert (found.layout.first_line, found.layout.skipped) == (5, ())


def test_the_first_line_with_the_fingerprint_is_the_header() -> None:
    data = SPINITRON.replace(b"X\n", b"Artist;Song;Date-time\n")
    assert reading(data).header_line == 2


def test_the_options_win_over_the_preset() -> None:
    data = SPINITRON.replace(b",Label", b",Plays")
    found = layout(data, preset="spinitron", song_column="Release", date_format="dmy")
    assert (found.key, found.date_format) == ((3,), "dmy")


def test_a_column_of_plays_that_is_named_is_read() -> None:
    data = SPINITRON.replace(b",Label", b",Plays")
    options = {"preset": "spinitron", "plays_column": "Plays"}
    assert layout(data, **options).plays == 4
    assert layout(data, **options, plays="one").plays is None
    assert refused(SPINITRON, **options).code == "missing_column"


@pytest.mark.parametrize("name", [b"Number of Plays", b"PLAYS", b"Play Count", b"Streams"])
def test_beside_a_column_of_plays_no_record_is_one_play_unasked(name: bytes) -> None:
    data = SPINITRON.replace(b"Label", name)
    assert refused(data).code == refused(data.partition(b"\n\n")[2]).code == "missing_column"
    for options in ({"plays": "one"}, {"preset": "spinitron"}):
        assert reading(data, **options).preset.name == "spinitron"


def test_what_the_default_reads_is_the_default() -> None:
    data = b"Date-time,Artist,Song,Date,Number of Plays\n"
    assert reading(data).preset.name == "default"
    assert reading(data, preset="spinitron").preset.name == "spinitron"


def test_a_preset_that_is_named_is_the_only_one() -> None:
    assert refused(SPINITRON, preset="default").code == "missing_column"
    assert refused(HEADER, preset="spinitron").code == "missing_column"


def test_named_columns_are_the_defaults() -> None:
    data = b"Date-time,Artist,Song,Plays\n"
    found = reading(data, date_column="Date-time", plays_column="Plays")
    assert found.preset.name == "default"
    assert refused(data, date_column="Date-time").code == "missing_column"


def test_a_preset_with_a_reader_of_its_own_finds_out_the_layout() -> None:
    assert reading(AUDIOSCROBBLER).layout is None
    assert reading(AUDIOSCROBBLER).preset.name == "audioscrobbler"


def test_without_its_head_a_file_is_that_of_no_preset() -> None:
    assert refused(AUDIOSCROBBLER[1:]).code == "missing_column"


def test_records_that_are_no_plays_are_filtered_by_a_column_of_the_header() -> None:
    keep = Keep(b"Song", is_prefix=False, reason="not_a_play")
    preset = replace(
        DEFAULT, name="kept", columns={**DEFAULT.columns, "filter": ("Type",)}, keep=keep
    )
    data = b"Type,Song,Date,Number of Plays\n"
    found = reading_as(preset, Head(data, Options(), Path("in.csv")))
    assert found is not None and found.layout is not None
    assert found.layout.filter == Filter(0, b"Song", False, "not_a_play")
    assert reading_as(preset, Head(HEADER, Options(), Path("in.csv"))) is None


def test_a_name_of_a_mebibyte_is_compared_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not under each delimiter, nor for each preset: it may become many times longer."""
    lengths: list[int] = []

    def key_of(name: str) -> str:
        lengths.append(len(name))
        return column_key(name)

    monkeypatch.setattr("bmat.aggregation.source.head.column_key", key_of)
    assert refused(b"a" * 2**20).code == "missing_column"
    # As the first record, and as one of the first hundred lines: for the presets and for the hint.
    assert lengths == [2**20] * 3
