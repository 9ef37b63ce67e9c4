"""`/api/schema/` and `/api/docs/`: the API's description, for programs and for people."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

# Swagger UI brings styles of its own and small images with it. It asks no other host.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class SchemaView(APIView):
    """The OpenAPI description: YAML, or JSON where `Accept` or `?format=json` asks for it."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
    )

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(described())


@cache
def described() -> dict[str, Any]:
    """The description, which does not change while the process runs."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the package has no types here
    schema: dict[str, Any] = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return schema


@require_safe
def swagger_ui(request: HttpRequest) -> HttpResponse:
    """The description as a page on which every operation can be tried."""
    response = render(request, "api/docs.html")
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
