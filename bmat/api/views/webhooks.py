"""`/api/webhooks/`: who is told of all reports of the caller."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from bmat.api.authentication import owner_of
from bmat.api.errors import ApiError
from bmat.api.models import Webhook
from bmat.api.schema.operations import webhook_operations
from bmat.api.serializers.webhooks import NewWebhookSerializer, WebhookSerializer
from bmat.api.services.targets import TooManyWebhooks, create_webhook
from bmat.api.views.accounts import BODY_BYTES, ShallowJSONParser
from bmat.api.views.deliveries import as_uuid

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
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES:
            raise ApiError("form_too_large", f"A webhook has at most {BODY_BYTES} bytes.")
        given = WebhookSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        owner = owner_of(request)
        assert owner is not None, "a login is asked for"
        try:
            webhook = create_webhook(owner, given.validated_data["url"])
        except TooManyWebhooks as error:
            raise ApiError("too_many_webhooks") from error
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
