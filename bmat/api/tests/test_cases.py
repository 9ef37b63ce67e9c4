"""Small files of the kinds that people have, each with what must come of it, through the service:
submitted, worked on, and asked for.
"""

import csv
import io
import json
import lzma
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat import aggregation
from bmat.api.models import Report
from bmat.api.tests.results import body, finished

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(aggregation.__file__).parent / "tests" / "cases"


class Case(NamedTuple):
    """One line of expected.tsv: `totals` is empty where the run fails with `error`."""

    file: str
    options: str
    totals: str
    rejects: str
    error: str
    note: str


def cases():
    with (FOLDER / "expected.tsv").open(encoding="utf-8", newline="") as file:
        _, *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Case(*line) for line in lines]


def content_of(case):
    content = (FOLDER / case.file).read_bytes()
    return lzma.decompress(content) if case.file.endswith(".xz") else content


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file} {case.options}")
def test_it_gives_what_is_expected(client, case):
    options = json.loads(case.options)
    file = SimpleUploadedFile(case.file, content_of(case))

    posted = client.post("/api/reports/", {"input_file": file, **options})

    if posted.status_code == 400:
        assert case.error in ("invalid_option", "unknown_encoding")
        assert set(posted.json()["fields"]) <= set(options)
        return
    report = finished(Report.objects.get(pid=posted.json()["pid"]))
    assert report.error_code == case.error
    assert rejects_of(client, report) == json.loads(case.rejects or "[]")
    if not case.error:
        expected = json.loads(case.totals)
        assert totals_of(client, report) == expected
        assert rows_of(client, report) == expected


def rejects_of(client, report):
    """Line and reason of each reject."""
    if not report.rejects_file:
        return []
    text = body(client.get(f"/api/reports/{report.pid}/rejects")).decode()
    _, *lines = csv.reader(io.StringIO(text, newline=""))
    return [[int(line), reason] for line, reason, _ in lines]


def totals_of(client, report):
    """The fields of the key, date and plays of each total."""
    text = body(client.get(f"/api/reports/{report.pid}/output")).decode()
    _, *lines = csv.reader(io.StringIO(text, newline=""))
    return [[*key, day, int(plays)] for *key, day, plays in lines]


def rows_of(client, report):
    """The same, as they are asked for."""
    rows = client.get(f"/api/reports/{report.pid}/rows", {"limit": 1000}).json()["rows"]
    return [[*(row[name] for name in report.group_by), row["date"], row["plays"]] for row in rows]
