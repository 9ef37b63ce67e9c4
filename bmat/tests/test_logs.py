"""Log records as lines, and which warnings of others are only information."""

import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from config.logs import AsInformation, IndentingFormatter, RefusalsAsInformation
from scripts.output import RECORD


@pytest.fixture
def flower_inspector() -> Iterator[logging.Logger]:
    logger = logging.getLogger("flower.inspector")
    yield logger


def record_of(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("web", logging.WARNING, __file__, 1, message, arguments, None)


def test_a_record_of_several_lines_begins_at_the_margin_and_goes_on_indented() -> None:
    forged = "a.csv\n2026-11-28 17:13:19,473 INFO bmat.reports report 1 done"
    lines = IndentingFormatter().format(record_of("no file %s", forged)).splitlines()
    assert [RECORD.fullmatch(line) is not None for line in lines] == [True, False]
    assert lines[1].startswith("    2026")


def test_a_warning_that_is_expected_is_information() -> None:
    record = record_of("Inspect method %s failed", "stats")
    assert AsInformation("Inspect method %s failed").filter(record)
    assert (record.levelno, record.levelname) == (logging.INFO, "INFO")


def test_a_warning_with_a_cause_stays_one(
    flower_inspector: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    flower_inspector.warning("Inspect method %s failed: %s", "stats", "no broker")
    flower_inspector.warning("Inspect method %s failed", "stats")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_what_a_client_does_wrong_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert Client().get("/favicon.ico").status_code == 404
    assert [(each.name, each.levelname) for each in caplog.records] == [("django.request", "INFO")]


def test_a_full_disk_is_a_warning_once_a_minute() -> None:
    refusals = RefusalsAsInformation()
    levels = []
    for seconds in (100, 101, 159, 160, 161):
        record = record_of("Insufficient Storage: %s", "/api/reports/")
        record.levelno, record.created = logging.ERROR, seconds
        vars(record)["status_code"] = 507
        assert refusals.filter(record)
        levels.append(record.levelname)
    assert levels == ["WARNING", "INFO", "INFO", "WARNING", "INFO"]


def test_every_record_is_written_in_the_form_that_make_run_reads() -> None:
    formatters = settings.LOGGING["formatters"]
    assert formatters == {"line": {"()": "config.logs.IndentingFormatter"}}
