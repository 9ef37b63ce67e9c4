"""Downloads that are compressed on the way."""

import gzip
import os

import pytest

from bmat.api.downloads.responses import Body, gzipped
from bmat.api.tests.fixtures import TOTALS
from bmat.api.tests.results import body

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "wish", ["gzip", "deflate, gzip;q=0.5", "gzip, identity", "GZIP", "*", "*, identity;q=0"]
)
def test_it_compresses_when_asked(download, wish):
    response = download(**{"accept-encoding": wish})

    assert gzip.decompress(body(response)) == TOTALS
    assert response["Content-Encoding"] == "gzip"
    assert "Content-Length" not in response
    assert "Accept-Ranges" not in response


@pytest.mark.parametrize(
    "wish", ["", "identity", "br", "gzip;q=0", "gzip;q=0.5, identity", "gzip;q=x", "*;q=0"]
)
def test_it_does_not_compress_otherwise(download, wish):
    response = download(**{"accept-encoding": wish})

    assert body(response) == TOTALS
    assert "Content-Encoding" not in response


def test_its_etag_is_its_own(download):
    plain = download(method="head")["ETag"]
    head = download(method="head", **{"accept-encoding": "gzip"})

    assert head["ETag"] != plain
    assert head["Content-Encoding"] == "gzip"
    again = {"accept-encoding": "gzip", "if-none-match": head["ETag"]}
    assert download(**again).status_code == 304
    body(download(**{"accept-encoding": "gzip", "if-none-match": plain}))


def test_it_sends_a_range_of_the_plain_bytes(download):
    response = download(**{"accept-encoding": "gzip", "range": "bytes=10-"})

    assert (response.status_code, body(response)) == (206, TOTALS[10:])
    assert "Content-Encoding" not in response


def test_it_compresses_what_it_escapes(download):
    response = download("output?excel_safe=1", **{"accept-encoding": "gzip"})

    assert gzip.decompress(body(response)) == TOTALS


def test_it_compresses_a_large_file_piece_by_piece(tmp_path):
    content = os.urandom(2**20) + bytes(2**22)
    (tmp_path / "file").write_bytes(content)
    source = Body(tmp_path / "file", 0, len(content))

    pieces = list(gzipped(source))

    source.close()
    assert gzip.decompress(b"".join(pieces)) == content
    assert b"" not in pieces
    assert max(map(len, pieces)) < 2**19
