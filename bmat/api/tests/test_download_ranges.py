"""Downloads that go on where they broke off, and those of what the client has already."""

import os

import pytest

from bmat.api.services import files
from bmat.api.tests.fixtures import TOTALS
from bmat.api.tests.results import body

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = len(TOTALS)


@pytest.mark.parametrize(
    "wanted, start, stop",
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, SIZE),
        ("bytes=5-5", 5, 6),
        ("bytes=0-999999", 0, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        ("bytes=-999999", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ],
)
def test_it_sends_a_range(download, wanted, start, stop):
    response = download(range=wanted)

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert response["Content-Length"] == str(stop - start)
    assert body(response) == TOTALS[start:stop]


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=999999-1000000", f"bytes={9**99}-"])
def test_it_refuses_a_range_behind_the_end(download, wanted):
    response = download(range=wanted)

    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response.json()["code"] == "range_not_satisfiable"
    assert str(SIZE) in response.json()["detail"]


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,4-5", "rows=0-1", "bytes=9-3", "bytes=x-", "bytes", "bytes=-0", ""]
)
def test_it_sends_everything_for_ranges_that_it_does_not_serve(download, wanted):
    response = download(range=wanted)

    assert response.status_code == 200
    assert body(response) == TOTALS


def test_it_heeds_no_range_of_head(download):
    response = download(method="head", range="bytes=0-9")

    assert (response.status_code, response["Content-Length"]) == (200, str(SIZE))


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_it_goes_on_with_the_file_that_the_client_began(download, header):
    known = download(method="head")[header]

    response = download(**{"range": "bytes=10-", "if-range": known})

    assert (response.status_code, body(response)) == (206, TOTALS[10:])


@pytest.mark.parametrize("other", ['"other"', 'W/"{tag}"', "Mon, 01 Jan 2001 00:00:00 GMT", "x"])
def test_it_begins_again_where_the_client_began_another_file(download, other):
    tag = download(method="head")["ETag"].strip('"')

    response = download(**{"range": "bytes=10-", "if-range": other.format(tag=tag)})

    assert (response.status_code, body(response)) == (200, TOTALS)


@pytest.mark.parametrize("tags", ["{etag}", 'W/{etag}, "x"', "*"])
def test_it_sends_nothing_that_the_client_has(download, tags):
    etag = download(method="head")["ETag"]

    response = download(**{"if-none-match": tags.format(etag=etag)})

    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == etag
    assert {"Cache-Control", "Last-Modified", "Vary"} <= set(response.headers)


def test_it_sends_what_the_client_has_not(download):
    assert body(download(**{"if-none-match": '"another"'})) == TOTALS


def test_it_sends_nothing_that_has_not_changed_since(download):
    modified = download(method="head")["Last-Modified"]

    assert download(**{"if-modified-since": modified}).status_code == 304


@pytest.mark.parametrize(
    "header, value",
    [("if-match", '"another"'), ("if-unmodified-since", "Mon, 01 Jan 2001 00:00:00 GMT")],
)
def test_it_refuses_what_is_meant_for_another_file(download, header, value):
    response = download(**{header: value})

    assert response.status_code == 412
    assert "If-Match" in response.json()["detail"]


def test_its_etag_is_strong_and_one_of_this_file_alone(download, done):
    totals, rejects = download(method="head")["ETag"], download("rejects", "head")["ETag"]
    output = files.path(done.output_file.name)

    assert totals == download(method="head")["ETag"] != rejects
    assert totals.startswith('"')
    os.utime(output, (1, 1))
    assert download(method="head")["ETag"] != totals
