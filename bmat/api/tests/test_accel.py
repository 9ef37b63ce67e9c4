"""Downloads that the proxy sends, where BMAT_ACCEL_PREFIX names its way to the files."""

from pathlib import Path

import pytest

from bmat.api.downloads.responses import accel_path
from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.conversion import convert
from bmat.api.tests.fixtures import TOTALS
from bmat.api.tests.results import body

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def proxy(settings):
    settings.BMAT_ACCEL_PREFIX = "/accel-reports/"


GZIP = {"accept-encoding": "gzip"}
RANGE = {"range": "bytes=5-"}


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    "headers, place",
    [({}, "plain/"), (GZIP, ""), (RANGE, "plain/"), (GZIP | RANGE, "plain/")],
)
def test_it_hands_the_file_over(download, done, method, headers, place):
    response = download(method=method, **headers)

    assert response["X-Accel-Redirect"] == f"/accel-reports/{place}{done.output_file.name}"
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="plays-totals.csv"'
    assert "Content-Encoding" not in response


def test_it_hands_every_format_over(download, done):
    convert(done.pid, files.JSON_LINES)

    path = download("output?format=jsonl")["X-Accel-Redirect"]

    assert path.endswith("/totals.jsonl")


def test_it_answers_itself_what_the_client_has(download, settings):
    etag = download()["ETag"]

    assert download(**{"if-none-match": etag}).status_code == 304
    settings.BMAT_ACCEL_PREFIX = ""
    assert download(method="head")["ETag"] == etag


@pytest.mark.parametrize("query, headers", [("?excel_safe=1", {}), ("", {"if-match": "*"})])
def test_it_sends_itself_what_the_proxy_cannot(download, query, headers):
    response = download(f"output{query}", **headers)

    assert body(response) == TOTALS
    assert "X-Accel-Redirect" not in response


def test_it_hands_over_nothing_outside_of_the_reports(settings, home):
    outside = home / "secret"
    outside.write_text("secret")
    (settings.BMAT_REPORTS_FOLDER / "link").symlink_to(outside)

    for path in (outside, settings.BMAT_REPORTS_FOLDER / "link", Path("/etc/passwd")):
        with pytest.raises(ValueError, match="is not in the subpath"):
            accel_path(path, is_gzipped=False)


def test_it_escapes_what_would_mean_something_in_a_path(settings):
    path = settings.BMAT_REPORTS_FOLDER / "a?b%2e#ü"

    assert accel_path(path, is_gzipped=True) == "/accel-reports/a%3Fb%252e%23%C3%BC"


def test_a_users_name_is_never_part_of_the_path(download):
    Report.objects.update(input_name="../../etc/passwd")

    assert "passwd" not in download()["X-Accel-Redirect"]
