"""`?excel_safe=1`: cells that a spreadsheet would take for formulas."""

import csv
import io

import pytest

from bmat.api.downloads.formats import FORMULA_STARTS, excel_safe
from bmat.api.tests.fixtures import TOTALS
from bmat.api.tests.results import body, finished

ROWS = [
    ["=1+1", "2020-01-01", "5"],
    ["+1", "-", "@x"],
    ["\tx", "\rx", "a=b"],
    ['=HYPERLINK("http://x","y")', "=a,b", "-c\nd"],
    ['"=1', '"', ',="'],
    ["a,=b", 'a",-b', "a\n=b"],
    ["", '""', "='"],
    ["\n=1", "\r\n", "=\r"],
    ["ü=", "=ü", "2"],
]


def written(rows):
    """As the aggregation writes: quoted only where RFC 4180 demands it."""
    return "".join(",".join(map(field, row)) + "\n" for row in rows).encode()


def field(text):
    special = any(each in text for each in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if special else text


def safe_field(text):
    return "'" + text if text[:1] and text[0].encode() in FORMULA_STARTS else text


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 10_000])
def test_it_escapes_each_cell_that_starts_a_formula_wherever_a_chunk_ends(size):
    content = written(ROWS)
    chunks = [content[start : start + size] for start in range(0, len(content), size)]

    escaped = b"".join(excel_safe(chunks)).decode()

    read = list(csv.reader(io.StringIO(escaped, newline="")))
    assert read == [[safe_field(each) for each in row] for row in ROWS]


@pytest.mark.parametrize("size", [1, 4, 10_000])
def test_it_changes_nothing_else(size):
    content = written([["Song", "a-b", '12" Mix'], ["x,=1", "\n+", "a@b"], ["'=1", "", "0"]])
    chunks = [content[start : start + size] for start in range(0, len(content), size)]

    assert b"".join(excel_safe(chunks)) == content


@pytest.fixture
def formulas(submit):
    plays = b'Song,Date,Number of Plays\n"=1,2",2020-01-01,5\n@me,2020-01-01,1\n-bad,2020-01-01\n'
    return finished(submit(plays))


@pytest.mark.django_db(transaction=True)
def test_it_escapes_the_totals_when_asked(client, formulas):
    response = client.get(f"/api/reports/{formulas.pid}/output?excel_safe=1")

    assert body(response) == (
        b"Song,Date,Total Number of Plays for Date\n\"'=1,2\",2020-01-01,5\n'@me,2020-01-01,1\n"
    )
    assert 'filename="plays-totals-excel-safe.csv"' in response["Content-Disposition"]
    assert "Content-Length" not in response
    assert "Accept-Ranges" not in response


@pytest.mark.django_db(transaction=True)
def test_it_escapes_the_rejects_when_asked(client, formulas):
    response = client.get(f"/api/reports/{formulas.pid}/rejects?excel_safe=true")

    assert body(response).endswith(b'4,missing_field,"\'-bad,2020-01-01"\n')


@pytest.mark.django_db(transaction=True)
def test_it_escapes_nothing_unasked(client, formulas):
    plain = client.get(f"/api/reports/{formulas.pid}/output")
    refused = client.get(f"/api/reports/{formulas.pid}/output?excel_safe=0")

    assert body(plain) == body(refused)
    assert plain["ETag"] == refused["ETag"]


@pytest.mark.django_db(transaction=True)
def test_its_etag_is_its_own(download):
    plain, safe = download(method="head"), download("output?excel_safe=1", "head")

    assert plain["ETag"] != safe["ETag"]
    response = download("output?excel_safe=1", **{"if-none-match": safe["ETag"]})
    assert response.status_code == 304


@pytest.mark.django_db(transaction=True)
def test_it_sends_no_range_of_it(download):
    response = download("output?excel_safe=1", range="bytes=5-")

    assert (response.status_code, body(response)) == (200, TOTALS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["format=parquet&excel_safe=1", "excel_safe=perhaps"])
def test_it_refuses_what_cannot_be_escaped(download, query):
    response = download(f"output?{query}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["excel_safe"]
