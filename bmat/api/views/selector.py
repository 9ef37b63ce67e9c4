"""Which reports a request reaches, and which of their files. Every view of reports finds them here,
whatever its path.
"""

from uuid import UUID

from django.contrib.auth.models import User
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bmat.api.errors import FilesExpired, no_file
from bmat.api.models import Report
from bmat.api.models.reports import ReportQuerySet

COME_AGAIN_SECONDS = 1


class VisibleReports(GenericAPIView[Report]):
    """The base of each view with a pid in its path: what others own is not there."""

    lookup_field = "pid"

    def get_queryset(self) -> ReportQuerySet:
        """The reports that the request may see."""
        return Report.objects.visible_to(self.request.user)

    def get_kept(self) -> Report:
        """The report of the URL. Raises Http404, and FilesExpired where only its row is left."""
        return kept(self.get_object())

    def get_other_kept(self, pid: UUID) -> Report:
        """The same for another report than that of the URL."""
        return kept(get_object_or_404(self.get_queryset(), pid=pid))

    def get_file_name(self, report: Report, column: str) -> str:
        """The storage's name of the file that `column` of a kept report names. Raises NoFile and
        its kin.
        """
        name: str = getattr(report, column).name
        if report.status != Report.Status.DONE or not name:
            raise no_file(report)
        return name


def kept(report: Report) -> Report:
    """The report. Raises FilesExpired where only its row is left."""
    if report.expired is not None:
        raise FilesExpired(report)
    return report


def being_written(what: str) -> Response:
    """202: the same request finds the file later."""
    told = {"detail": what, "code": "being_written"}
    return Response(told, status=202, headers={"Retry-After": str(COME_AGAIN_SECONDS)})


def owner_of(request: Request) -> User | None:
    """To whom belongs what the request uploads; None: to nobody."""
    return request.user if request.user.is_authenticated else None
