"""The pages for people, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmat.tests.live.browser import Person, person
from bmat.tests.live.people import PASSWORD
from bmat.tests.live.stack import Stack
from bmat.tests.samples import PLAYS, PLAYS_TOTALS

# Behind the one for the cookie of the admin.
TOKEN = ".auth-container ~ .auth-container"
UPLOAD, LIST = "#operations-reports-create_report", "#operations-reports-list_reports"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Person]:
    with person(tmp_path / "browser") as somebody:
        yield somebody


def open_docs(reader: Person, stack: Stack) -> None:
    reader.open(f"{stack.client.base_url}/api/docs/")


def prepare(reader: Person, operation: str) -> None:
    """Opens an operation of the docs, to be tried."""
    reader.click(f"{operation} button.opblock-summary-control")
    reader.click(f"{operation} .try-out__btn")


def answer(reader: Person, operation: str, status: str) -> str:
    """Tries an operation; the body of its answer, whose status must be this one."""
    reader.click(f"{operation} .execute")
    answered = f"{operation} .live-responses-table .response"
    reader.see(f"{answered} .response-col_status", status)
    return reader.see(f"{answered} .highlight-code code").text


def complaints(reader: Person) -> list[str]:
    """Those of the browser, but that the docs page has no part of its own for each format of the
    items of a list: it takes that of their type.
    """
    return [one for one in reader.complaints() if "Could not find component" not in one]


def log_in(reader: Person, stack: Stack, name: str, page: str) -> None:
    """Logs a new superuser in to the admin, on the way to a page."""
    account = ("--username", name, "--email", f"{name}@bmat.example")
    password = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    stack.manage("createsuperuser", "--no-input", *account, settings=password)
    reader.open(f"{stack.client.base_url}/admin/login/?next={page}")
    reader.fill_in("#id_username", name)
    reader.fill_in("#id_password", PASSWORD)
    reader.click("input[type=submit]")


def test_the_docs_show_every_operation_and_reports_first(stack: Stack, reader: Person) -> None:
    open_docs(reader, stack)
    reader.see(UPLOAD, "Upload files")
    assert reader.texts(".opblock-tag span") == ["reports", "uploads", "webhooks", "auth"]
    assert len(reader.texts(".opblock")) == 28
    assert reader.complaints() == []


def test_a_file_uploaded_on_the_docs_page_is_aggregated(
    stack: Stack, reader: Person, tmp_path: Path
) -> None:
    file = tmp_path / "semicolons.csv"
    # Whatever else the page sent along would not fit.
    file.write_bytes(PLAYS.replace(b",", b";"))
    open_docs(reader, stack)
    prepare(reader, UPLOAD)
    reader.fill_in(f"{UPLOAD} input[type=file]", str(file))
    pid = json.loads(answer(reader, UPLOAD, "201"))["pid"]
    assert stack.client.download(stack.client.done(pid)) == PLAYS_TOTALS
    assert complaints(reader) == []


def test_a_token_opens_the_operations_of_the_docs(locked: Stack, reader: Person) -> None:
    pid = locked.client.upload(PLAYS)
    open_docs(reader, locked)
    prepare(reader, LIST)
    assert "not_authenticated" in answer(reader, LIST, "401")
    reader.click(".auth-wrapper > .authorize")
    reader.fill_in(f"{TOKEN} input", locked.client.headers["Authorization"])
    reader.click(f"{TOKEN} .authorize")
    reader.click(f"{TOKEN} .btn-done")
    assert pid in answer(reader, LIST, "200")


def test_the_admin_lists_reports_in_a_window_of_1280_pixels(locked: Stack, reader: Person) -> None:
    name = "plays of the week from all of our stations.csv"
    for content in (PLAYS + b"bad,x,1\n", b"no,header\n"):
        pid = locked.client.upload(content, name)
        locked.client.finished(pid)
    log_in(reader, locked, "lister", "/admin/api/report/")
    reader.see("#result_list", "failed: missing_column")
    assert reader.texts("#result_list a[href$=rejects]")
    assert not reader.has_to_scroll("#changelist-form .results", width_pixels=1280)
    assert reader.complaints() == []


def test_whoever_is_logged_in_needs_no_token_on_the_docs_page(
    locked: Stack, reader: Person, tmp_path: Path
) -> None:
    file = tmp_path / "plays.csv"
    file.write_bytes(PLAYS)
    log_in(reader, locked, "reader", "/api/docs/")
    prepare(reader, UPLOAD)
    reader.fill_in(f"{UPLOAD} input[type=file]", str(file))
    assert json.loads(answer(reader, UPLOAD, "201"))["input_name"] == "plays.csv"
    assert complaints(reader) == []


def test_the_admin_shows_who_worked_on_a_report(locked: Stack, reader: Person) -> None:
    body = locked.client.done(locked.client.upload(PLAYS))
    log_in(reader, locked, "operator", f"/admin/api/report/{body['pid']}/change/")
    shown = reader.see("#attempt_log-group", "Done").text
    assert "@test" in shown
    assert reader.complaints() == []
