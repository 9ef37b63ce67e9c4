"""The totals of a result in other formats: whatever they hold, and nothing else."""

import json

import pyarrow.parquet
import pytest

from bmat.api.services import files
from bmat.api.services.formats import write_format
from bmat.api.tests.results import beside, finished

pytestmark = pytest.mark.django_db(transaction=True)

ODD = (
    b'Song,Date,Number of Plays\nNA,0001-01-01,5\n"a\rb""c\n,",9999-12-31,9223372036854775807\n'
    b"null,2020-01-01,0\n\xc3\xbc\xe2\x80\xa8,2020-01-01,1\n"
)
ODD_ROWS = [
    ("NA", "0001-01-01", 5),
    ('a\rb"c\n,', "9999-12-31", 2**63 - 1),
    ("null", "2020-01-01", 0),
    ("ü\u2028", "2020-01-01", 1),
]


def test_json_lines_hold_whatever_the_totals_hold(submit):
    report = finished(submit(ODD))

    write_format(report.pid, files.JSON_LINES)

    lines = beside(report, files.JSON_LINES).read_bytes().split(b"\n")
    read = [json.loads(line) for line in lines[:-1]]
    assert [(each["song"], each["date"], each["plays"]) for each in read] == ODD_ROWS
    assert lines[-1] == b""


def test_parquet_holds_whatever_the_totals_hold(submit):
    report = finished(submit(ODD))

    columns = pyarrow.parquet.read_table(beside(report, files.PARQUET)).to_pydict()

    days = [day.isoformat() for day in columns["Date"]]
    assert list(zip(columns["Song"], days, columns["Plays"], strict=True)) == ODD_ROWS
