"""`/healthz`, `/api/schema/` and `/api/docs/`: whether this process can do its work, and the API's
description, for programs and for people.
"""

import logging
from functools import cache
from typing import Any

from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.encoding import force_bytes
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

logger = logging.getLogger(__name__)

# Swagger UI brings styles of its own and small images with it. It asks no other host.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# Anybody may keep it, and asks again whether it still holds: the next version may say more.
CACHE_CONTROL = "public, no-cache"
YAML = "application/vnd.oai.openapi"
# By media type, the format in which the description is sent; of equals, the first.
FORMATS = {
    YAML: "yaml",
    "application/yaml": "yaml",
    "application/vnd.oai.openapi+json": "json",
    "application/json": "json",
}
RENDERERS = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 where the database answers, else 503. The broker is not asked: uploads are taken in
    without it.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.error("the database cannot be reached: %s", error)
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description: YAML, or JSON where `Accept` or `?format=json` asks for it."""
    wanted = request.GET.get("format")
    if wanted is None:
        media_type = request.get_preferred_type(list(FORMATS)) or YAML
    else:
        media_type = next((each for each, name in FORMATS.items() if name == wanted), "")
    if not media_type:
        raise Http404
    headers = {"Cache-Control": CACHE_CONTROL, "Vary": "Accept"}
    return HttpResponse(rendered(FORMATS[media_type]), media_type, headers=headers)


@cache
def described() -> dict[str, Any]:
    """The description, which does not change while the process runs."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the package has no types here
    found: dict[str, Any] = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return found


@cache
def rendered(format_name: str) -> bytes:
    """The description's bytes in a format of FORMATS."""
    return force_bytes(RENDERERS[format_name]().render(described(), renderer_context={}))


@ensure_csrf_cookie
@require_safe
def swagger_ui(request: HttpRequest) -> HttpResponse:
    """The description as a page on which every operation can be tried. Whoever is logged in to the
    admin need not log in again: the cookie that this sets is the page's CSRF token.
    """
    response = render(request, "api/docs.html")
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Cache-Control"] = "private, no-cache"
    return response
