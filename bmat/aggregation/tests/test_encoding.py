import codecs
from pathlib import Path

import pytest

from bmat.aggregation.encoding import mark_invalid
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import error_of

TEXT = "Song,Date,Number of Plays\r\nCafé\n,2020-01-01,1\r\nCafé,2020-01-01,2\r\n"
TOTALS = "Café,2020-01-01,2\n".encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides(run: Run, encoding: str) -> None:
    result = run(TEXT.encode(encoding))
    assert result.totals == TOTALS
    assert result.rejects == '2,missing_field,Café\n3,empty_song,",2020-01-01,1"\n'.encode()


def test_a_big_endian_byte_order_mark_decides_too(run: Run) -> None:
    assert run(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")).totals == TOTALS


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


def test_a_surrogate_that_a_decoder_lets_through_rejects_its_record(run: Run) -> None:
    data = b"Song,Date,Number of Plays\n+2AA-,2020-01-01,1\nb,2020-01-01,2\n"
    assert run(data, encoding="utf-7").rejects.startswith(b"2,invalid_encoding,")


def test_the_error_handler_leaves_other_errors_alone() -> None:
    error = UnicodeTranslateError("x", 0, 1, "no")
    with pytest.raises(UnicodeTranslateError):
        mark_invalid(error)


@pytest.mark.parametrize("encoding", ["klingon", "zip", "hex", "idna", "utf-8\0", ""])
def test_an_encoding_that_nobody_knows_is_an_error(tmp_path: Path, encoding: str) -> None:
    error = error_of(tmp_path, encoding=encoding)
    assert error.code == "unknown_encoding"
    assert error.message == (
        f"There is no text encoding {encoding!r}. "
        "Use a name such as utf-8, utf-16, cp1252 or iso-8859-1."
    )
