"""Working on a report: claim it, aggregate its file, publish the result. The row flips last."""

import logging
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections

from bmat.aggregation import AggregationError, Limits, Options, Summary, aggregate
from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.heartbeat import Heartbeat, LeaseLost

logger = logging.getLogger(__name__)

INTERNAL_ERROR = "internal_error"
INTERNAL_ERROR_MESSAGE = (
    "Something went wrong on our side, and it has been logged. "
    "Upload the file again; if it fails again, tell us the pid."
)


def process_report(pid: UUID, lease_token: UUID) -> None:
    """Brings the report to Done, or to Failed where its file is at fault.

    Returns quietly where there is nothing to do: the report is gone, has ended, or another worker
    has it. Any other error comes out with the lease still held: see `fail_unexpectedly`.
    """
    if not Report.objects.claim(pid, lease_token):
        logger.info("report %s: nothing to do", pid)
        return
    logger.info("report %s: started", pid)
    with ExitStack() as leftovers:
        leftovers.callback(discard_attempt, pid, lease_token)
        try:
            summary = aggregate_report(pid, lease_token)
            publish(pid, lease_token, summary)
            leftovers.pop_all()
        except AggregationError as error:
            logger.info("report %s: failed, %s", pid, error.code)
            Report.objects.fail(pid, lease_token, error.code, error.message)
        except LeaseLost:
            logger.warning("report %s: deleted, or taken over by another worker", pid)


def fail_unexpectedly(pid: UUID, lease_token: UUID) -> None:
    """Marks the report Failed after an error that is not the file's fault, if the lease is still
    held.
    """
    Report.objects.fail(pid, lease_token, INTERNAL_ERROR, INTERNAL_ERROR_MESSAGE)


def aggregate_report(pid: UUID, lease_token: UUID) -> Summary:
    """Writes the attempt's output and rejects, synced. Raises LeaseLost and what `aggregate`
    raises.
    """
    report = Report.objects.leased(pid, lease_token).first()
    if report is None:
        raise LeaseLost
    folder = files.start_attempt(pid, lease_token)
    output = files.path(files.output_name(pid, lease_token))
    rejects = files.path(files.rejects_name(pid, lease_token))
    limits = Limits(memory_budget_bytes=settings.BMAT_MEMORY_BUDGET_BYTES, temp_folder=folder)
    with Heartbeat(pid, lease_token) as heartbeat:
        summary = aggregate(
            [files.path(files.input_name(pid))],
            output,
            rejects=rejects,
            options=Options(**report.options),
            limits=limits,
            on_progress=heartbeat.tell,
        )
        sync_results(summary, output, rejects)
    return summary


def sync_results(summary: Summary, output: Path, rejects: Path) -> None:
    """Makes the results safe on disk; a rejects file that lists nothing is removed."""
    if summary.rows_rejected == 0:
        rejects.unlink(missing_ok=True)
    else:
        files.sync(rejects)
    files.sync(output)


def publish(pid: UUID, lease_token: UUID, summary: Summary) -> None:
    """Flips the row to Done. Raises LeaseLost."""
    # After hours of work the server may have closed this connection.
    close_old_connections()
    output = files.output_name(pid, lease_token)
    rejects = files.rejects_name(pid, lease_token) if summary.rows_rejected else ""
    if not Report.objects.finish(pid, lease_token, summary, output, rejects):
        raise LeaseLost
    logger.info("report %s: done, %s rows, %s groups", pid, summary.rows_read, summary.groups)


def discard_attempt(pid: UUID, lease_token: UUID) -> None:
    """Removes what an attempt leaves that came to nothing, and the report's folder if the report is
    gone.
    """
    report = Report.objects.filter(pid=pid).first()
    if report is None:
        files.remove(files.report_folder(pid))
    elif report.output_file.name != files.output_name(pid, lease_token):
        # The names are equal where the row was flipped and only the answer got lost on its way:
        # then the files count.
        files.remove(files.report_folder(pid) / str(lease_token))
