"""Which reports a request reaches, and which of their files. Every view of reports finds them here,
whatever its path.
"""

from django.contrib.auth.models import User
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from bmat.api.errors import FilesExpired, no_file
from bmat.api.models import Report
from bmat.api.models.queries import ReportQuerySet


class VisibleReports(GenericAPIView[Report]):
    """The base of each view with a pid in its path: what others own is not there."""

    lookup_field = "pid"

    def get_queryset(self) -> ReportQuerySet:
        """The reports that the request may see."""
        return Report.objects.visible_to(self.request.user)

    def get_kept(self) -> Report:
        """The report of the URL. Raises Http404, and FilesExpired where only its row is left."""
        report = self.get_object()
        if report.expired is not None:
            raise FilesExpired(report)
        return report

    def get_file_name(self, report: Report, column: str) -> str:
        """The storage's name of the file that `column` of a kept report names. Raises NoFile and
        its kin.
        """
        name: str = getattr(report, column).name
        if report.status != Report.Status.DONE or not name:
            raise no_file(report)
        return name


def owner_of(request: Request) -> User | None:
    """To whom belongs what the request uploads; None: to nobody."""
    return request.user if request.user.is_authenticated else None
