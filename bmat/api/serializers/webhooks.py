"""Webhooks and deliveries as JSON, and what says where events go."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bmat.api.models import Delivery, Webhook
from bmat.api.models.webhooks import Event, State
from bmat.api.outgoing.urls import (
    HTTPS_URL,
    SECRET_LENGTH,
    SECRET_PATTERN,
    URL_LENGTH,
    check_secret,
    check_url,
    without_login,
)
from bmat.api.services.reports import WantedCallback
from bmat.api.services.targets import shown_url

NO_CALLBACK = "Without a callback_url, nothing is signed."

TARGET_URL = {"type": "string", "maxLength": URL_LENGTH, "pattern": f"^{HTTPS_URL}$"}
CALLBACK_URL = {**TARGET_URL, "pattern": f"^({HTTPS_URL})?$"}
CALLBACK_SECRET = {
    "type": "string",
    "maxLength": SECRET_LENGTH,
    "pattern": f"^({SECRET_PATTERN})?$",
}


@extend_schema_field(TARGET_URL)
class TargetURLField(serializers.CharField):
    """Where events go."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"max_length": URL_LENGTH, "validators": [check_url], **kwargs}
        super().__init__(trim_whitespace=False, **kwargs)

    def to_representation(self, value: str) -> str:
        """The URL without a login."""
        return without_login(value)


@extend_schema_field(CALLBACK_URL)
class CallbackURLField(TargetURLField):
    """Where the events of one report go."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, **kwargs)


@extend_schema_field(CALLBACK_SECRET)
class CallbackSecretField(serializers.CharField):
    """What those are signed with."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"max_length": SECRET_LENGTH, "validators": [check_secret], **kwargs}
        super().__init__(required=False, allow_blank=True, trim_whitespace=False, **kwargs)


class CallbackSerializer(serializers.Serializer[Any]):
    """Whom a report is to tell when it ends."""

    callback_url = CallbackURLField(help_text="Is told when the report ends.")
    callback_secret = CallbackSecretField(
        help_text="What that is signed with. Without it, what the operator tells you is."
    )


def check_callback(attrs: Mapping[str, Any]) -> None:
    """Raises ValidationError where there is a secret and nobody to be told."""
    if attrs.get("callback_secret") and not attrs.get("callback_url"):
        raise serializers.ValidationError({"callback_secret": [NO_CALLBACK]})


def wanted_callback(fields: Mapping[str, Any]) -> WantedCallback | None:
    """Whom the fields want to be told; None: nobody."""
    url = fields.get("callback_url")
    return WantedCallback(url, fields.get("callback_secret", "")) if url else None


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A webhook. Its secret is told once, to who has made it."""

    url = TargetURLField(help_text="Where events go; without a login where it is shown.")

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
