import codecs
import encodings.aliases
import random
from pathlib import Path

import pytest

from bmat.aggregation import Options
from bmat.aggregation.source.encoding import mark_invalid, source_encoding, utf8_of
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import error_of

TEXT = "Song,Date,Number of Plays\r\nCafé\n,2020-01-01,1\r\nCafé,2020-01-01,2\r\n"
TOTALS = "Café,2020-01-01,2\n".encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(run: Run, encoding: str) -> None:
    result = run(TEXT.encode(encoding))
    assert result.totals == TOTALS
    assert result.rejects == '2,missing_field,Café\n3,empty_song,",2020-01-01,1"\n'.encode()


def test_a_big_endian_byte_order_mark_decides_too(run: Run) -> None:
    assert run(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")).totals == TOTALS
    assert run(codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be")).totals == TOTALS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("named", ["cp1252", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_wins_over_the_option(run: Run, encoding: str, named: str) -> None:
    assert run(TEXT.encode(encoding), encoding=named).totals == TOTALS


@pytest.mark.parametrize("encoding", ["utf-16", "UTF_32", "utf16", "U32"])
def test_without_a_byte_order_mark_it_is_little_endian(run: Run, encoding: str) -> None:
    size = 16 if "16" in encoding else 32
    assert run(TEXT.encode(f"utf-{size}-le"), encoding=encoding).totals == TOTALS


FILE_ENCODINGS = sorted(
    {
        name
        for name in set(encodings.aliases.aliases.values())
        if name not in ("mbcs", "oem", "utf_7", "rot_13")
        and getattr(codecs.lookup(name), "_is_text_encoding", False)
    }
)


@pytest.mark.parametrize("encoding", FILE_ENCODINGS)
def test_bytes_that_cannot_be_decoded_have_the_same_marks_wherever_reads_end(
    encoding: str,
) -> None:
    data = random.Random(encoding).randbytes(3000)
    name = source_encoding(data[:4], Options(encoding=encoding))
    whole = b"".join(utf8_of([data], name))
    for size in (1, 2, 3, 7, 1000):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert b"".join(utf8_of(pieces, name)) == whole


def test_each_byte_that_cannot_be_decoded_has_a_mark_of_its_own() -> None:
    assert b"".join(utf8_of([b"a\x81\x81\x81b"], "cp1252")) == b"a\xff\xff\xffb"


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-1", "utf-16-le", "UTF8", "utf_32", "mac"])
def test_an_option_names_the_encoding(run: Run, encoding: str) -> None:
    python = "mac-roman" if encoding == "mac" else encoding
    assert run(TEXT.encode(python), encoding=python).totals == TOTALS


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16-le"])
def test_bytes_that_the_encoding_does_not_know_reject_their_record(run: Run, encoding: str) -> None:
    invalid = {"ascii": b"\xe9", "cp1252": b"\x81", "utf-16-le": b"\x00\xd8"}[encoding]
    rows = [part.encode(encoding) for part in ("Song,Date,Number of Plays\n", ",2020-01-01,1\n")]
    result = run(
        rows[0] + invalid + rows[1] + "b,2020-01-01,2\n".encode(encoding), encoding=encoding
    )
    assert result.totals == b"b,2020-01-01,2\n"
    assert result.rejects == '2,invalid_encoding,"\ufffd,2020-01-01,1"\n'.encode()


def test_the_error_handler_leaves_other_errors_alone() -> None:
    error = UnicodeTranslateError("x", 0, 1, "no")
    with pytest.raises(UnicodeTranslateError):
        mark_invalid(error)


@pytest.mark.parametrize(
    "encoding",
    [
        "klingon",
        "zip",
        "hex",
        "rot13",
        "idna",
        "punycode",
        "utf-7",
        "unicode_escape",
        "utf-8\0",
        "",
    ],
)
def test_an_encoding_that_nobody_knows_is_an_error(tmp_path: Path, encoding: str) -> None:
    error = error_of(tmp_path, encoding=encoding)
    assert error.code == "unknown_encoding"
    assert error.message == (
        f"There is no text encoding {encoding!r}. "
        "Use a name such as utf-8, utf-16, cp1252 or iso-8859-1."
    )
