"""`/api/reports/<pid>/deliveries`: what became of the events of a report."""

from uuid import UUID

from django.http import Http404
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bmat.api.access import VisibleReports
from bmat.api.errors import ApiError
from bmat.api.models import Delivery
from bmat.api.schema.operations import deliveries_operation, resend_operation
from bmat.api.serializers.webhooks import DeliverySerializer
from bmat.api.services import targets

MOST_SHOWN = 100


class DeliveryActions(VisibleReports):
    """The part of the reports' view set that is about who is told of them."""

    @deliveries_operation
    @action(detail=True, methods=["get"], pagination_class=None)
    def deliveries(self, request: Request, pid: str) -> Response:
        """The newest events first, a hundred at most, each with its attempts."""
        report = self.get_kept()
        shown = Delivery.objects.filter(report=report)[:MOST_SHOWN]
        return Response(DeliverySerializer(shown, many=True).data)

    @resend_operation
    @action(detail=True, methods=["post"], url_path="deliveries/(?P<delivery_id>[^/]+)/resend")
    def resend(self, request: Request, pid: str, delivery_id: str) -> Response:
        """Sends the event again: 202. 409 where its target is disabled, or was removed."""
        report = self.get_kept()
        delivery = Delivery.objects.filter(report=report, pk=as_uuid(delivery_id)).first()
        if delivery is None:
            raise Http404
        if not targets.resend(delivery):
            raise ApiError("target_disabled")
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=202)


def as_uuid(text: str) -> UUID:
    """The id that a path names. Raises Http404."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
