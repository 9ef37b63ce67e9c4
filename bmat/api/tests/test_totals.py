"""The totals of a result in other formats: whatever they hold, and nothing else."""

import json

import pyarrow.parquet
import pytest

from bmat.api.services import files, totals
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


@pytest.mark.parametrize("has_parquet", [True, False])
def test_json_lines_hold_whatever_the_totals_hold(submit, has_parquet):
    report = finished(submit(ODD))
    write_format(report.pid, files.PARQUET)
    if not has_parquet:
        beside(report, files.PARQUET).unlink()

    write_format(report.pid, files.JSON_LINES)

    lines = beside(report, files.JSON_LINES).read_bytes().split(b"\n")
    read = [json.loads(line) for line in lines[:-1]]
    assert [(each["song"], each["date"], each["plays"]) for each in read] == ODD_ROWS
    assert lines[-1] == b""


def test_parquet_holds_whatever_the_totals_hold(submit, monkeypatch):
    monkeypatch.setattr(totals, "ROWS_PER_GROUP", 2)
    report = finished(submit(ODD))
    beside(report, files.PARQUET).unlink(missing_ok=True)

    write_format(report.pid, files.PARQUET)

    file = pyarrow.parquet.ParquetFile(beside(report, files.PARQUET))
    columns = file.read().to_pydict()
    days = [day.isoformat() for day in columns["Date"]]
    assert list(zip(columns["Song"], days, columns["Plays"], strict=True)) == ODD_ROWS
    assert file.num_row_groups == 2
    assert file.metadata.row_group(0).column(0).statistics.has_min_max
    assert len(file.metadata.row_group(0).sorting_columns) == 2
