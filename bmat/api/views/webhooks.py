"""`/api/webhooks/`: who is told of all reports of the caller; `/api/reports/<pid>/deliveries`: what
became of the events of a report.
"""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from bmat.api.access import owner_of
from bmat.api.errors import ApiError
from bmat.api.models import Delivery, Webhook
from bmat.api.models.webhooks import Event, State
from bmat.api.outgoing.urls import HTTPS_URL, URL_LENGTH, check_url, without_login
from bmat.api.schema import (
    BODY,
    CHANGE,
    IF_NONE_MATCH,
    NOT_LET_IN,
    NOT_MODIFIED,
    ON_REPORT,
    PID,
    operation,
)
from bmat.api.services import outbox
from bmat.api.views.accounts import ShallowJSONParser, fields_of
from bmat.api.views.results import VisibleReports

MOST_DELIVERIES = 100
NO_LOGINS = (
    "This service asks nobody who they are, so that nobody has webhooks here. Give an upload a "
    "callback_url."
)

DELIVERY_ID = OpenApiParameter(
    "delivery_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The delivery's, which is the `webhook-id` of its event.",
)
WEBHOOK_ID = OpenApiParameter(
    "webhook_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The webhook's."
)


@extend_schema_field({"type": "string", "maxLength": URL_LENGTH, "pattern": f"^{HTTPS_URL}$"})
class TargetURLField(serializers.CharField):
    """Where events go: with `check_url` among its validators."""

    def to_representation(self, value: str) -> str:
        """The URL without a login."""
        return without_login(value)


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A webhook. Its secret is told once, to who has made it."""

    url = TargetURLField(
        trim_whitespace=False,
        max_length=URL_LENGTH,
        validators=[check_url],
        help_text="Where events go; without a login where it is shown.",
    )

    class Meta:
        model = Webhook
        fields = ["id", "url", "enabled", "created"]
        read_only_fields = ["id", "enabled", "created"]


class NewWebhookSerializer(WebhookSerializer):
    """A webhook that was just made."""

    secret = serializers.CharField(read_only=True, help_text="Shown this once. Verify with it.")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt at a delivery."""

    started = serializers.DateTimeField()
    seconds = serializers.FloatField(min_value=0)
    status = serializers.IntegerField(allow_null=True, help_text="That of the answer.")
    error = serializers.CharField(allow_null=True, help_text="Why there was no answer: a word.")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """An event on its way to one target."""

    event = serializers.ChoiceField(Event.values, read_only=True)
    state = serializers.ChoiceField(State.values, read_only=True)
    url = serializers.SerializerMethodField(help_text="Without a login; null: it was removed.")
    attempts = AttemptSerializer(many=True, read_only=True, help_text="The last fifty, in order.")
    next_attempt = serializers.SerializerMethodField(help_text="Null where there will be none.")

    class Meta:
        model = Delivery
        fields = [
            "id",
            "event",
            "url",
            "webhook",
            "state",
            "created",
            "attempts",
            "next_attempt",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_url(self, delivery: Delivery) -> str | None:
        return outbox.shown_url(delivery)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt(self, delivery: Delivery) -> Any:
        if delivery.state != State.PENDING:
            return None
        return serializers.DateTimeField().to_representation(delivery.next_attempt_at)


@extend_schema_view(
    list=operation(
        "list_webhooks",
        "Your webhooks",
        "Each is told of every report of yours. Where the service asks for no logins, nobody has "
        "any, and all of this is 404.",
        {200: WebhookSerializer(many=True), **NOT_MODIFIED},
        *("not_found", *NOT_LET_IN),
        parameters=[IF_NONE_MATCH],
    ),
    create=operation(
        "create_webhook",
        "Make a webhook",
        "From now on its URL is told when a report of yours ends. The answer has the secret with "
        "which the receiver verifies events; it is told this once.",
        {201: OpenApiResponse(NewWebhookSerializer, "The webhook.")},
        *(*BODY, *NOT_LET_IN, *CHANGE, "not_found", "too_many_webhooks"),
        request=WebhookSerializer,
    ),
    retrieve=operation(
        "get_webhook",
        "One of your webhooks",
        "`enabled` is false after its receiver has answered 410, and where an operator said so.",
        {200: OpenApiResponse(WebhookSerializer, "The webhook."), **NOT_MODIFIED},
        *("not_found", *NOT_LET_IN),
        parameters=[WEBHOOK_ID, IF_NONE_MATCH],
    ),
    destroy=operation(
        "delete_webhook",
        "Remove a webhook",
        "Nothing more is sent to it, not even what is on its way.",
        {204: OpenApiResponse(None, "It is gone.")},
        *("not_found", *NOT_LET_IN, *CHANGE),
        parameters=[WEBHOOK_ID],
    ),
)
class WebhookViewSet(
    ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet[Webhook]
):
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

    def create(self, request: Request) -> Response:
        wanted = fields_of(request, WebhookSerializer, "A webhook")
        owner = owner_of(request)
        assert owner is not None, "a login is asked for"
        webhook = outbox.create_webhook(owner, wanted["url"])
        kwargs = {"webhook_id": webhook.pk}
        headers = {"Location": reverse("webhook-detail", kwargs=kwargs, request=request)}
        return Response(NewWebhookSerializer(webhook).data, status=201, headers=headers)


class DeliveryActions(VisibleReports):
    """The part of the reports' view set that is about who is told of them."""

    @operation(
        "list_deliveries",
        "See who was told that a report ended",
        "The newest events first, a hundred at most, each with the attempts to deliver it: when, "
        "the status of the answer or a word for why there was none, how long it took, and when the "
        "next one is due.",
        {200: DeliverySerializer(many=True), **NOT_MODIFIED},
        *(*ON_REPORT, *NOT_LET_IN),
        parameters=[PID, IF_NONE_MATCH],
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def deliveries(self, request: Request, pid: str) -> Response:
        report = self.get_kept()
        shown = Delivery.objects.filter(report=report)[:MOST_DELIVERIES]
        return Response(DeliverySerializer(shown, many=True).data)

    @operation(
        "resend_delivery",
        "Deliver an event again",
        "With the same `webhook-id`, and all attempts ahead.",
        {202: OpenApiResponse(DeliverySerializer, "The delivery.")},
        *(*ON_REPORT, *NOT_LET_IN, *CHANGE, "target_disabled"),
        parameters=[PID, DELIVERY_ID],
        request=None,
    )
    @action(detail=True, methods=["post"], url_path="deliveries/(?P<delivery_id>[^/]+)/resend")
    def resend(self, request: Request, pid: str, delivery_id: str) -> Response:
        report = self.get_kept()
        delivery = get_object_or_404(Delivery.objects.filter(report=report), pk=delivery_id)
        if not outbox.resend(delivery):
            raise ApiError("target_disabled")
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=202)
