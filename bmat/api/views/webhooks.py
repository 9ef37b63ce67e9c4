"""`/api/webhooks/`: who is told of all reports of the caller; `/api/reports/<pid>/deliveries`: what
became of the events of a report.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.decorators import action
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from bmat.api.access import owner_of
from bmat.api.errors import ApiError
from bmat.api.models import Delivery, Webhook
from bmat.api.schema.operations import deliveries_operation, resend_operation, webhook_operations
from bmat.api.serializers.webhooks import (
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookSerializer,
)
from bmat.api.services import outbox
from bmat.api.services.outbox import create_webhook
from bmat.api.views.accounts import ShallowJSONParser, refuse_large
from bmat.api.views.results import VisibleReports

MOST_DELIVERIES = 100
NO_LOGINS = (
    "This service asks nobody who they are, so that nobody has webhooks here. Give an upload a "
    "callback_url."
)


@webhook_operations
class WebhookViewSet(GenericViewSet[Webhook]):
    """The caller's own webhooks, a superuser's too. They exist where a login is asked for."""

    parser_classes = (ShallowJSONParser, FormParser)
    serializer_class = WebhookSerializer
    lookup_url_kwarg = "webhook_id"
    lookup_value_regex = "[^/]+"
    pagination_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError not_found where nobody has webhooks."""
        super().initial(request, *args, **kwargs)
        if not settings.BMAT_REQUIRE_AUTH:
            raise ApiError("not_found", NO_LOGINS)

    def get_queryset(self) -> QuerySet[Webhook]:
        return Webhook.objects.filter(owner=owner_of(self.request))

    def list(self, request: Request) -> Response:
        return Response(WebhookSerializer(self.get_queryset(), many=True).data)

    def create(self, request: Request) -> Response:
        refuse_large(request, "A webhook")
        given = WebhookSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        owner = owner_of(request)
        assert owner is not None, "a login is asked for"
        webhook = create_webhook(owner, given.validated_data["url"])
        kwargs = {"webhook_id": webhook.pk}
        headers = {"Location": reverse("webhook-detail", kwargs=kwargs, request=request)}
        return Response(NewWebhookSerializer(webhook).data, status=201, headers=headers)

    def retrieve(self, request: Request, webhook_id: str) -> Response:
        as_uuid(webhook_id)
        return Response(WebhookSerializer(self.get_object()).data)

    def destroy(self, request: Request, webhook_id: str) -> Response:
        as_uuid(webhook_id)
        self.get_object().delete()
        return Response(status=204)


class DeliveryActions(VisibleReports):
    """The part of the reports' view set that is about who is told of them."""

    @deliveries_operation
    @action(detail=True, methods=["get"], pagination_class=None)
    def deliveries(self, request: Request, pid: str) -> Response:
        """The newest events first, a hundred at most, each with its attempts."""
        report = self.get_kept()
        shown = Delivery.objects.filter(report=report)[:MOST_DELIVERIES]
        return Response(DeliverySerializer(shown, many=True).data)

    @resend_operation
    @action(detail=True, methods=["post"], url_path="deliveries/(?P<delivery_id>[^/]+)/resend")
    def resend(self, request: Request, pid: str, delivery_id: str) -> Response:
        """Sends the event again: 202. 409 where its target is disabled, or was removed."""
        report = self.get_kept()
        delivery = Delivery.objects.filter(report=report, pk=as_uuid(delivery_id)).first()
        if delivery is None:
            raise Http404
        if not outbox.resend(delivery):
            raise ApiError("target_disabled")
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=202)


def as_uuid(text: str) -> UUID:
    """The id that a path names. Raises Http404."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
