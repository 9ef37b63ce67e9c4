"""Working on a report: claim it, aggregate its inputs, publish the result. The row flips last."""

import logging
import time
from contextlib import ExitStack
from uuid import UUID

from django.conf import settings

from bmat.aggregation import (
    AggregationError,
    ClusterAway,
    Limits,
    NoValidRows,
    Options,
    Summary,
    aggregate,
)
from bmat.aggregation.errors import naming_a_full_disk
from bmat.api.models import Report
from bmat.api.services import conversion, database, files, leases, queue
from bmat.api.services.database import retry_while_database_is_down
from bmat.api.services.heartbeat import Heartbeat, LeaseLost, WorkerEnds
from bmat.api.services.leases import Lease, Rejected, events
from bmat.results import needs_parquet
from bmat.taskapp import shutdown

logger = logging.getLogger(__name__)

INTERNAL_ERROR = "internal_error"
INTERNAL_ERROR_MESSAGE = (
    "Something went wrong on our side, and it has been logged. "
    "Upload the file again; if it fails again, tell us the pid."
)


def process_report(pid: UUID, lease_token: UUID, worker: str = "") -> str | None:
    """Brings the report to Done: None. Or to Failed, because its file is at fault: the code. After
    an error that nobody expected it is Failed, too, and the error comes out.

    None as well where there is nothing to do: the report is gone, has ended, or another worker has
    it. Where the database stays down, the report is left to its lease, which runs out.
    """
    if shutdown.is_requested():
        logger.info("report %s: left to the next message, for this worker ends", pid)
        return None
    try:
        lease = retry_while_database_is_down(
            # Where the answer to the claim got lost, the lease is this worker's by now.
            lambda: leases.claim(pid, lease_token, worker) or leases.held_lease(pid, lease_token)
        )
        if lease is not None:
            logger.info("report %s: started", pid)
            return work(lease)
        logger.info("report %s: nothing to do", pid)
    except database.AWAY as error:
        logger.error("report %s: left to its lease, for the database is away: %s", pid, error)
    except Exception as error:
        if fail_unexpectedly(pid, lease_token):
            # Celery logs it, with the task's id, which is the pid.
            raise
        logger.warning("report %s: broken off, for its lease was lost: %r", pid, error)
    return None


def work(lease: Lease) -> str | None:
    """Uses a lease: ends the report, hands it back, or notices that the lease is lost. The code of
    a failure that is the file's fault.
    """
    pid, lease_token = lease.pid, lease.token
    started = time.monotonic()
    with ExitStack() as leftovers:
        leftovers.callback(discard_attempt, pid, lease_token)
        try:
            with Heartbeat(pid, lease_token) as heartbeat, naming_a_full_disk():
                summary = aggregate_report(lease, heartbeat)
                publish(pid, lease_token, summary)
            leftovers.pop_all()
            log_done(pid, summary, time.monotonic() - started)
            prepare_for_questions(pid, lease_token)
        except AggregationError as failure:
            if fail_at_fault(lease, failure):
                return failure.code
            log_lost(pid)
        except ClusterAway as error:
            wait_for_cluster(pid, lease_token, error)
        except LeaseLost:
            log_lost(pid)
        except WorkerEnds:
            hand_back(pid, lease_token)
    return None


def log_done(pid: UUID, summary: Summary, seconds: float) -> None:
    """Says that the report is Done, after an attempt of so many seconds."""
    rows, rejected = f"{summary.rows_read:,}", f"{summary.rows_rejected:,}"
    events.info("report %s done: %s rows, %s rejected, %.2f s", pid, rows, rejected, seconds)


def log_lost(pid: UUID) -> None:
    logger.warning("report %s: deleted, cancelled, or another worker has it", pid)


def hand_back(pid: UUID, lease_token: UUID) -> None:
    """Gives the lease back and sends a message for another worker."""
    if retry_while_database_is_down(lambda: leases.hand_back(pid, lease_token)):
        logger.info("report %s: handed back, for this worker ends", pid)
        for report in Report.objects.filter(pid=pid):
            queue.enqueue(pid, report.input_bytes)


def wait_for_cluster(pid: UUID, lease_token: UUID, error: ClusterAway) -> None:
    """Gives the lease back; a reconciler sends the next message, after a while."""
    seconds = retry_while_database_is_down(lambda: leases.hand_back_for_cluster(pid, lease_token))
    if seconds is None:
        log_lost(pid)
    else:
        logger.warning("report %s: tried again in %.0f s: %s", pid, seconds, error)


def fail_at_fault(lease: Lease, failure: AggregationError) -> bool:
    """Marks the report Failed because of an input, which is named where there are others. Where
    every record was rejected, the list of them is kept. False: the lease is lost.
    """
    pid, token, rejected = lease.pid, lease.token, None
    if isinstance(failure, NoValidRows):
        result_bytes = files.size_of(files.attempt_folder(pid, token))
        rejected = Rejected(failure.summary, files.rejects_name(pid, token), result_bytes)
    message = told(failure, [row["name"] for row in lease.inputs])
    return retry_while_database_is_down(
        lambda: leases.fail(pid, token, failure.code, message, rejected)
    )


def told(failure: AggregationError, names: list[str]) -> str:
    """What the owner of the inputs with these names is told: of one, no name need be said; nor is
    anything else ever said than a name, or what lies below it.
    """
    source = str(failure.source)
    is_named = any(source == name or source.startswith(f"{name}/") for name in names)
    if not is_named or names == [source]:
        return failure.message
    return f"{source}: {failure.message}"


def fail_unexpectedly(pid: UUID, lease_token: UUID) -> bool:
    """Marks the report Failed after an error that is not the file's fault. False: the lease was
    lost, and the error is of no consequence. A database that stays down leaves it to the lease.
    """
    try:
        return retry_while_database_is_down(
            lambda: leases.fail(pid, lease_token, INTERNAL_ERROR, INTERNAL_ERROR_MESSAGE)
        )
    except database.AWAY as error:
        logger.error("report %s: left to its lease, for the database is away: %s", pid, error)
        return True


def aggregate_report(lease: Lease, heartbeat: Heartbeat) -> Summary:
    """Writes the attempt's output, rejects and summary, synced; the rejects alone where there is
    nothing else. Raises LeaseLost, WorkerEnds and what `aggregate` raises.
    """
    pid, lease_token = lease.pid, lease.token
    for token in lease.earlier_attempts:
        files.remove(files.attempt_folder(pid, token))
    start_attempt(pid, lease_token)
    name = files.output_name(pid, lease_token)
    output, rejects = files.path(name), files.path(files.rejects_name(pid, lease_token))
    summary_file = files.path(files.beside(name, files.SUMMARY))
    try:
        summary = aggregate(
            files.inputs_of(lease),
            output,
            rejects=rejects,
            summary_file=summary_file,
            options=Options.of(lease.options),
            limits=Limits(
                memory_budget_bytes=settings.BMAT_MEMORY_BUDGET_BYTES,
                decompression_limit_bytes=settings.BMAT_DECOMPRESSION_LIMIT_BYTES,
                decompression_ratio=settings.BMAT_DECOMPRESSION_RATIO,
            ),
            on_progress=heartbeat.report_progress,
        )
    except NoValidRows:
        files.sync(rejects)
        raise
    if not summary.rows_rejected:
        rejects.unlink()
    files.sync(output, summary_file, *[rejects] if summary.rows_rejected else [])
    return summary


def start_attempt(pid: UUID, lease_token: UUID) -> None:
    """Makes an empty folder to work in. Raises LeaseLost where the report was deleted meanwhile."""
    try:
        files.start_attempt(pid, lease_token)
    except FileNotFoundError as error:
        if retry_while_database_is_down(Report.objects.leased(pid, lease_token).exists):
            raise
        raise LeaseLost from error


def publish(pid: UUID, lease_token: UUID, summary: Summary) -> None:
    """Flips the row to Done. Raises LeaseLost."""
    output = files.output_name(pid, lease_token)
    rejects = files.rejects_name(pid, lease_token) if summary.rows_rejected else ""
    result_bytes = files.size_of(files.attempt_folder(pid, lease_token))
    if not retry_while_database_is_down(
        # Where the answer to the flip got lost, the report has this output by now.
        lambda: (
            leases.finish(pid, lease_token, summary, output, rejects, result_bytes)
            or Report.objects.filter(pid=pid, output_file=output).exists()
        )
    ):
        raise LeaseLost


def prepare_for_questions(pid: UUID, lease_token: UUID) -> None:
    """Asks for the Parquet of a large result: it is asked as nothing else."""
    folder = files.attempt_folder(pid, lease_token)
    try:
        if needs_parquet(folder):
            output_bytes = (folder / files.OUTPUT).stat().st_size
            conversion.request(pid, files.PARQUET, output_bytes)
    except FileNotFoundError:
        logger.info("report %s: deleted as soon as it was done", pid)


def discard_attempt(pid: UUID, lease_token: UUID) -> None:
    """Removes what an attempt leaves that came to nothing, and the report's folder if the report is
    gone.
    """
    report = Report.objects.filter(pid=pid).first()
    if report is None:
        files.remove(files.report_folder(pid))
    elif files.attempt_that_counts(report) != str(lease_token):
        # It is this one where the row was flipped and only the answer got lost on its way: then the
        # files count. So do the rejects of a report that failed because of them.
        files.remove(files.attempt_folder(pid, lease_token))
