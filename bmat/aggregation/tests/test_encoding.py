import codecs
import encodings.aliases
import random
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import Options
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.results import Input
from bmat.aggregation.source.encoding import mark_invalid, source_encoding, utf8_of
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.open import open_source
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import error_of

TEXT = "Song,Date,Number of Plays\r\nCafé\n,2020-01-01,1\r\nCafé,2020-01-01,2\r\n"


def opened(folder: Path, data: bytes, **options: Any) -> Source:
    """The source that an input with these bytes becomes."""
    (folder / "in.csv").write_bytes(data)
    meter = ProgressMeter(None)
    return open_source(folder / "in.csv", Options(**options), folder / "copy", meter)


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-32", "utf-32")],
)
def test_a_byte_order_mark_decides(tmp_path: Path, encoding: str, read_as: str) -> None:
    source = opened(tmp_path, TEXT.encode(encoding))
    assert source.path.read_bytes().removeprefix(codecs.BOM_UTF8) == TEXT.encode()
    assert source.read_as == Input("default", ",", read_as, 1)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be")],
)
def test_a_big_endian_byte_order_mark_decides_too(
    tmp_path: Path, mark: bytes, encoding: str
) -> None:
    assert opened(tmp_path, mark + TEXT.encode(encoding)).path.read_bytes() == TEXT.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("named", ["cp1252", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_wins_over_the_option(tmp_path: Path, encoding: str, named: str) -> None:
    source = opened(tmp_path, TEXT.encode(encoding), encoding=named)
    assert source.path.read_bytes().removeprefix(codecs.BOM_UTF8) == TEXT.encode()
    assert source.read_as.encoding == encoding.removesuffix("-sig")


@pytest.mark.parametrize("encoding", ["utf-16", "UTF_32", "utf16", "U32"])
def test_without_a_byte_order_mark_it_is_little_endian(tmp_path: Path, encoding: str) -> None:
    name = "utf-16-le" if "16" in encoding else "utf-32-le"
    source = opened(tmp_path, TEXT.encode(name), encoding=encoding)
    assert source.path.read_bytes() == TEXT.encode()
    assert source.read_as.encoding == name


def test_line_ends_are_those_of_the_text(tmp_path: Path) -> None:
    # In UTF-16 there is an LF among these bytes, of the character U+0A0D, and none in the text.
    text = "Song,Date,Number of Plays\r\u0a0d,2020-01-01,1\r" + "x" * 70_000
    assert opened(tmp_path, text.encode("utf-16")).layout.has_cr_ends


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
def test_an_option_names_the_encoding(tmp_path: Path, encoding: str) -> None:
    python = "mac-roman" if encoding == "mac" else encoding
    source = opened(tmp_path, TEXT.encode(python), encoding=python)
    assert source.path.read_bytes() == TEXT.encode()


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
