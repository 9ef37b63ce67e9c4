"""Which reports a request reaches, and which of their files. Every view of reports finds them here,
whatever its path.
"""

from uuid import UUID

from django.conf import settings
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.response import Response

from bmat.api.errors import ApiError
from bmat.api.models import Report
from bmat.api.models.reports import ReportQuerySet

RETRY_AFTER_SECONDS = 1
WITH_FILE: dict[str, tuple[int, ...]] = {
    "output_file": (Report.Status.DONE,),
    # Of a failed one, where every record was rejected.
    "rejects_file": (Report.Status.DONE, Report.Status.FAILED),
}
WITHOUT_FILE: dict[int, str] = {
    Report.Status.PROCESSING: "report_processing",
    Report.Status.DONE: "no_file",
    Report.Status.FAILED: "report_failed",
    Report.Status.CANCELLED: "report_cancelled",
}
# Of a report that names the file.
NOT_KEPT = (
    "This result has no such file: it was removed this moment, or made by an earlier version of "
    "this service. Upload the file again."
)


class VisibleReports(GenericAPIView[Report]):
    """The base of each view with a pid in its path: what others own is not there."""

    lookup_field = "pid"

    def get_queryset(self) -> ReportQuerySet:
        """The reports that the request may see."""
        return Report.objects.visible_to(self.request.user)

    def get_kept(self) -> Report:
        """The report of the URL. Raises Http404, and ApiError files_expired where only its row is
        left.
        """
        return kept(self.get_object())

    def get_other_kept(self, pid: UUID) -> Report:
        """The same for another report than that of the URL."""
        return kept(get_object_or_404(self.get_queryset(), pid=pid))

    def get_file_name(self, report: Report, column: str) -> str:
        """The storage's name of the file that `column` of a kept report names. Raises ApiError,
        whose code says why there is none.
        """
        name: str = getattr(report, column).name
        if report.status not in WITH_FILE[column] or not name:
            raise ApiError(WITHOUT_FILE[report.status])
        return name


def kept(report: Report) -> Report:
    """The report. Raises ApiError files_expired where only its row is left."""
    if report.expired is not None:
        removed = report.expired.isoformat(timespec="seconds")
        raise ApiError(
            "files_expired",
            f"The files of this report were removed on {removed}: they are kept for "
            f"{settings.BMAT_RETENTION_DAYS:g} days after its end. Upload the file again.",
            expired=removed,
            reason="retention",
        )
    return report


def being_written(message: str) -> Response:
    """202: the same request finds the file later."""
    told = {"code": "being_written", "message": message, "detail": message}
    return Response(told, status=202, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
