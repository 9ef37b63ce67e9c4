"""Errors about what a report came to: rows or a summary that are not there, or not yet."""

from rest_framework.exceptions import NotFound

from bmat.api.errors import Conflict
from bmat.api.models import Report

POLL_AGAIN_SECONDS = 1


class ReportProcessing(Conflict):
    """The report has no result yet."""

    default_detail = "The report is still processed: ask again."
    default_code = "report_processing"
    # What DRF answers as Retry-After.
    wait = POLL_AGAIN_SECONDS


class ReportFailed(Conflict):
    """The report will have no result, unless it is retried."""

    default_detail = "The report has failed, and has no result: see its error."
    default_code = "report_failed"


class ReportCancelled(Conflict):
    """The report was cancelled before it had a result."""

    default_detail = "The report was cancelled, and has no result. It can be retried."
    default_code = "report_cancelled"


class ResultNotKept(NotFound):
    """The report is Done, and the file is not there."""

    default_detail = (
        "This result has no such file: it was removed this moment, or made by an earlier version "
        "of this service. Upload the file again."
    )
    default_code = "result_not_kept"


WITHOUT_RESULT: dict[int, type[Conflict]] = {
    Report.Status.PROCESSING: ReportProcessing,
    Report.Status.FAILED: ReportFailed,
    Report.Status.CANCELLED: ReportCancelled,
}


def require_result(report: Report) -> None:
    """Raises Conflict, of the class that says why, unless the report is Done."""
    if report.status in WITHOUT_RESULT:
        raise WITHOUT_RESULT[report.status]
