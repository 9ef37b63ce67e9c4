"""One log record for each event in a report's life that a person wants to see. `make run` shows
these records, and of all others only warnings and errors.
"""

import logging
from uuid import UUID

from bmat.aggregation import Summary
from bmat.api.models import Report

# Its name is what scripts/output.py looks for.
logger = logging.getLogger("bmat.reports")

SHOWN_NAME_LENGTH = 60


def received(report: Report) -> None:
    """Its upload is safe, and its row committed."""
    name = shown_name(report.input_name)
    logger.info("report %s received: %s, %s bytes", report.pid, name, f"{report.input_bytes:,}")


def retried(pid: UUID) -> None:
    """It failed or was cancelled, and waits for a worker again."""
    logger.info("report %s received again", pid)


def done(pid: UUID, summary: Summary, seconds: float) -> None:
    """It is Done, after an attempt of so many seconds."""
    rows, rejected = f"{summary.rows_read:,}", f"{summary.rows_rejected:,}"
    logger.info("report %s done: %s rows, %s rejected, %.2f s", pid, rows, rejected, seconds)


def failed(pid: UUID, code: str) -> None:
    """It is Failed, with an error of this code."""
    logger.info("report %s failed: %s", pid, code)


def cancelled(pid: UUID) -> None:
    """It is Cancelled, or was deleted before it had ended."""
    logger.info("report %s cancelled", pid)


def shown_name(name: str) -> str:
    """A user's file name, cut to fit, without what a terminal would take for a command."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    if len(printable) <= SHOWN_NAME_LENGTH:
        return printable
    return printable[: SHOWN_NAME_LENGTH - 1] + "…"
