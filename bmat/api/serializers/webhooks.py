"""Webhooks, and the deliveries of events."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bmat.api.models import Delivery, Webhook
from bmat.api.models.webhooks import Event, State
from bmat.api.outgoing.urls import (
    HTTPS_URL,
    URL_LENGTH,
    check_url,
    without_login,
)
from bmat.api.services.outbox import shown_url

TARGET_URL = {"type": "string", "maxLength": URL_LENGTH, "pattern": f"^{HTTPS_URL}$"}


@extend_schema_field(TARGET_URL)
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
        return shown_url(delivery)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt(self, delivery: Delivery) -> Any:
        if delivery.state != State.PENDING:
            return None
        return serializers.DateTimeField().to_representation(delivery.next_attempt_at)
