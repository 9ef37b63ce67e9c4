"""What is said of a file that cannot be read: what it looks like, what it lacks, what to do."""

import base64
import gzip
import re
from pathlib import Path

import pytest

from bmat.aggregation.errors import REASON_ADVICE
from bmat.aggregation.source.looks import SIGNATURES
from bmat.aggregation.tests.heads import layout, refused
from bmat.aggregation.tests.running import HEADER

CONTRACT = Path(__file__).parents[3] / "docs" / "data-contract.md"
ROW = b"a,2020-01-01,1\n"
TEXT = HEADER + ROW
WANTED = "The header has no column 'Song', 'Date' or 'Number of Plays': "
ONE = "; where each record is one play, use the option plays=one."
RENAME = (
    f"Rename the columns, or name yours in the options song_column, date_column, plays_column{ONE}"
)


@pytest.mark.parametrize(
    ("data", "looks_like"),
    [
        (b"in.csv".ljust(257, b"\0") + b"ustar", "a tar archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\0\1\2,\0", "binary data"),
        (b"\xfe\xfa\x01,\n", "bytes that are not UTF-8"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "a web page (HTML)"),
        (b"\xef\xbb\xbf \n<!-- saved -->\n<HTML lang=en>", "a web page (HTML)"),
        (b"<table border=1><tr><td>Song", "a web page (HTML)"),
        (b'{"song": "a", "plays": 1}\n', "JSON of a kind that no preset reads"),
        (b'\n[\n  {"song": "a"}]', "JSON of a kind that no preset reads"),
        (b"[]\n", "JSON of a kind that no preset reads"),
        (b"{\\rtf1\\ansi Song,Date}", "a formatted document (RTF)"),
        (
            b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook>',
            "an XML spreadsheet of Excel (2003)",
        ),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "an XML spreadsheet of Excel (2003)",
        ),
        (b"<?xml version='1.0'?>\n<plays/>", "XML"),
        (b"<plays><play/></plays>", "XML"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
            "a Git LFS pointer, which stands for the file itself",
        ),
        (base64.b64encode(TEXT * 3), "base64 of text"),
        (base64.encodebytes("Künstler;Únø\n".encode() * 30), "base64 of text"),
        (b"data:text/csv;base64," + base64.b64encode(TEXT), "base64 of text"),
        (base64.b64encode(gzip.compress(TEXT)), "base64 of packed data (gzip archive)"),
        (base64.b64encode(b"<html>" * 20), "base64 of a web page (HTML)"),
        (TEXT.decode().encode("utf-16-le"), "UTF-16 text without a byte order mark"),
        ("Größe,Dátum\n".encode("utf-16-be"), "UTF-16-BE text without a byte order mark"),
        (TEXT.decode().encode("utf-32-le"), "UTF-32 text without a byte order mark"),
        (TEXT.decode().encode("utf-32-be"), "UTF-32-BE text without a byte order mark"),
    ],
)
def test_it_says_what_a_file_looks_like(data: bytes, looks_like: str) -> None:
    error = refused(data)
    assert error.code == "not_text"
    assert error.message.startswith(f"The file is not a CSV text: it looks like {looks_like}. ")


@pytest.mark.parametrize("signature", SIGNATURES)
def test_each_signature_is_named(signature: bytes) -> None:
    assert SIGNATURES[signature].name in refused(signature + b"x" * 100).message


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (TEXT.decode().encode("utf-16-le"), "Name its encoding, utf-16, in the option encoding."),
        (b"GIF89a", "Upload it as CSV."),
        (b"version https://git-lfs.github.com/spec/v1", "`git lfs pull`, and upload that."),
        (b"\xff\n", "Upload it as CSV in UTF-8, or name its encoding."),
    ],
)
def test_it_says_what_to_do(data: bytes, advice: str) -> None:
    assert refused(data).message.endswith(advice)


@pytest.mark.parametrize(
    "data",
    [
        b"[x,y\n",
        b"{a;b\n",
        b"< 5,y\n",
        b"A" * 80 + b"\n",
        b"abcdefgh" * 10 + b"\n",
        b"see version https://git-lfs.github.com/spec/v1\n",
        b"data:text/csv;base64,\n",
    ],
)
def test_what_only_begins_like_a_format_is_a_text(data: bytes) -> None:
    assert refused(data).code == "missing_column"


@pytest.mark.parametrize("name", [b"<html>", b'{"a', b"PK\x03\x04", b"%PDF", b"x\0", b"\xff"])
def test_where_there_is_a_header_nothing_else_counts(name: bytes) -> None:
    assert layout(name + b"," + HEADER).field_count == 4


def test_the_names_of_utf_16_are_no_names() -> None:
    # All but the NULs would be left of them where control characters are passed over.
    assert refused(b"S\0o\0n\0g\0,Date,Number of Plays\n").code == "not_text"


def test_a_missing_column_is_named_with_those_found_and_the_nearest() -> None:
    error = refused(b"Song;Datum;Plays\n")
    assert error.code == "missing_column"
    assert error.message == (
        "The header has no column 'Date' or 'Number of Plays': it has 'Song', 'Datum', 'Plays'. "
        "Did you mean 'Datum', 'Plays'? "
        "Rename the columns, or name yours in the options date_column, plays_column."
    )


def test_one_missing_column_is_one() -> None:
    assert refused(b"Song,Date,x\n").message == (
        "The header has no column 'Number of Plays': it has 'Song', 'Date', 'x'. "
        f"Rename the column, or name yours in the option plays_column{ONE}"
    )


def test_the_nearest_name_is_none_that_is_read() -> None:
    error = refused(b"Song,Date,Release Date,Number of Plays\n", date_column="Dates")
    assert "Did you mean 'Date'? " in error.message
    error = refused(b"Song,Date,Number of Plays\n", group_by="song,artist", artist_column="Songs")
    assert "Did you mean" not in error.message


def test_names_are_counted_under_the_delimiter_that_occurs_most() -> None:
    assert "it has 'a,b', 'c', 'd'. " in refused(b"a,b|c|d\n").message


def test_a_header_of_a_thousand_columns_makes_a_short_message() -> None:
    error = refused(b"column," * 1000)
    assert len(error.message) < 1000
    assert "and 981 more. " in error.message


@pytest.mark.parametrize("before", [b"Usage report\nPeriod:,2020-01\n\n", b'x\n"a\n\xef\xbb\xbf\n'])
def test_the_line_that_looks_like_the_header_is_named(before: bytes) -> None:
    hint = "Line 4 looks like the header: name it in the option header_line."
    for delimiter in (b",", b";"):
        error = refused(before + TEXT.replace(b",", delimiter))
        assert (error.code, error.message.endswith(hint)) == ("missing_column", True)
    assert layout(before + TEXT, header_line=4).first_line == 5


def test_the_line_of_a_header_that_a_preset_knows_is_named() -> None:
    totals = b"Report\nSong,Date,Total Number of Plays for Date\na,2020-01-01,1\n"
    assert "Line 2 looks like the header" in refused(totals).message
    for options in ({"preset": "default"}, {"song_column": "Title"}):
        assert "looks like the header" not in refused(totals, **options).message
    assert layout(totals, header_line=2).plays == 2


def test_it_is_looked_for_among_a_hundred_lines() -> None:
    assert "Line 100 looks like the header" in refused(b"x\n" * 99 + TEXT).message
    assert "looks like the header" not in refused(b"x\n" * 100 + TEXT).message
    assert "Line 3 looks" in refused(b'x\n"\n' + TEXT, header_line=1).message


@pytest.mark.parametrize("line", [3, 9])
def test_a_line_without_a_record_is_named_with_the_header(line: int) -> None:
    assert refused(TEXT + b"\n", header_line=line).message == (
        f"{WANTED}no record starts on line {line}, which the option header_line names. "
        "Line 1 looks like the header: name it in the option header_line."
    )


@pytest.mark.parametrize("data", [b'"Song,Date\n', b'"\n"a"b\n', b"sep=;\n"])
def test_a_file_without_a_whole_record_has_no_header(data: bytes) -> None:
    error = refused(data)
    assert error.code == "missing_column"
    assert error.message == f"{WANTED}there is no line that could be one. {RENAME}"


def test_lines_that_are_wholly_in_quotes_are_told() -> None:
    error = refused(b'"Song,Date,Number of Plays"\n"A,2020-01-01,""5"""\n')
    assert error.code == "missing_column"
    assert error.message == (
        f"{WANTED}it has 'Song,Date,Number of Plays'. "
        "The whole line is in quotes, as if it were one field: take away the first and the last "
        "quote of each line, and write one quote for each two between them."
    )
    assert "in quotes" not in refused(b'"Song"\n').message
    assert "in quotes" not in refused(b'"a,b"\n', quoting="none").message


AS_UTF_16 = TEXT.decode("utf-16-le", "replace").encode()


@pytest.mark.parametrize(
    ("data", "options", "advice"),
    [
        (TEXT, {"delimiter": ";"}, "The fields stand between ',': name that in the option"),
        (b"sep=;\n" + TEXT.replace(b",", b"\t"), {}, "between tab: name that in the option"),
        (ROW, {"delimiter": "tab"}, "between ',': name that in the option delimiter."),
        (TEXT.replace(b",", b"^"), {}, "The fields stand between '^': name that in the option"),
        (TEXT.replace(b"Song", b'"Song"'), {"quoting": "none"}, "use the option quoting=csv."),
        (ROW, {"header_line": 1}, "leave out the option header_line."),
        (AS_UTF_16, {"encoding": "utf-16"}, "in UTF-8: leave out the option encoding."),
        (
            TEXT.decode("cp037").encode(),
            {"encoding": "cp037"},
            "in UTF-8: leave out the option encoding.",
        ),
        (b"a,13.1.2020,1\n", {}, "in the option date_format, dmy."),
        (b"a;1/2/2020;1\n", {}, "in the option date_format, dmy or mdy."),
        (ROW, {"date_format": "dmy"}, "in the option date_format, iso or ymd."),
    ],
)
def test_the_option_is_named_that_stands_against_a_header(
    data: bytes, options: dict[str, object], advice: str
) -> None:
    error = refused(data, **options)
    assert error.code == "missing_column"
    assert advice in error.message


def test_no_option_is_named_that_would_not_help() -> None:
    options = {"delimiter": ";", "quoting": "none", "header_line": 1, "encoding": "cp1252"}
    assert refused(b"x,y\n", **options).message.endswith(RENAME)
    for data in (b'"open\nx^y\n', b"x^" * 4096, b"`Song`,`Date`,`Number of Plays`\n"):
        assert RENAME[:-1].partition(";")[0] in refused(data).message


def test_a_preset_that_the_file_does_not_fit_is_named_with_the_columns() -> None:
    error = refused(b"x,y\n", preset="spinitron")
    assert error.code == "missing_column"
    assert error.message.startswith(
        "The file does not fit the preset spinitron (Spinitron playlist): "
        "its header has no column 'Song' or 'Date-time': it has 'x', 'y'. "
    )


def test_a_column_that_only_a_preset_has_can_be_renamed_alone() -> None:
    message = refused(b"Sale Month\tTitle\tQuantity\n", preset="distrokid").message
    assert message.endswith("it has 'Sale Month', 'Title', 'Quantity'. Rename the column.")


SPINITRON = b"Station\nX\n\nDate-time,Artist,Song,Release,Label\n2020-01-01T00:00:00-0500,a,b,c,d\n"


def test_of_a_preset_with_a_preamble_the_header_is_named() -> None:
    message = refused(SPINITRON, group_by="isrc").message
    assert "no column 'ISRC': it has 'Date-time', 'Artist', 'Song', 'Release', 'Label'. " in message


def test_named_columns_stand_against_a_preset_that_would_fit() -> None:
    hint = "a file of the preset spinitron (Spinitron playlist)"
    error = refused(SPINITRON, song_column="Title")
    assert error.code == "missing_column"
    assert error.message.endswith(f"It looks like {hint}: name that in the option preset.")
    error = refused(SPINITRON.replace(b"Station", b"\xff"), song_column="Title")
    assert error.code == "not_text"
    assert error.message.endswith(f"looks like {hint}. Name that in the option preset.")


def test_each_reason_of_the_contract_has_a_sentence_of_advice() -> None:
    _, _, rejected = CONTRACT.read_text().partition("## Records that are rejected")
    table, _, _ = rejected.partition("\n## ")
    reasons = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    assert list(dict.fromkeys(reasons)) == list(REASON_ADVICE)
    assert {advice[-1] for advice in REASON_ADVICE.values()} == {"."}
