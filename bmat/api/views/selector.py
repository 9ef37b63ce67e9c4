"""Which reports a request reaches. Every view of reports finds them here, whatever its path."""

from django.contrib.auth.models import User
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from bmat.api.models import Report
from bmat.api.models.queries import ReportQuerySet


class VisibleReports(GenericAPIView[Report]):
    """The base of each view with a pid in its path: what others own is not there."""

    lookup_field = "pid"

    def get_queryset(self) -> ReportQuerySet:
        """The reports that the request may see."""
        return Report.objects.visible_to(self.request.user)


def owner_of(request: Request) -> User | None:
    """To whom belongs what the request uploads; None: to nobody."""
    return request.user if request.user.is_authenticated else None
