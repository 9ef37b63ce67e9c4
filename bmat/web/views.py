"""The document of the page, and the form to log in."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from bmat.web.modules import needed_by

# Only the page's own files run and load; uploads and questions go to its own service.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def as_page(response: HttpResponseBase) -> HttpResponseBase:
    """The answer, with what a browser may load for it; it is asked for again each time."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@ensure_csrf_cookie
@require_safe
def page(request: HttpRequest, modules: Sequence[str]) -> HttpResponseBase:
    """The one document, whatever its address; where logins are on, for those who are logged in. The
    cookie that this sets is the modules' CSRF token. `modules` are those of the address's view.
    """
    if settings.BMAT_REQUIRE_AUTH and not request.user.is_authenticated:
        return as_page(redirect_to_login(request.get_full_path(), "login-page"))
    context = {
        "requires_login": settings.BMAT_REQUIRE_AUTH,
        "max_upload_bytes": settings.BMAT_MAX_UPLOAD_BYTES,
        "modules": needed_by(*modules),
    }
    return as_page(render(request, "web/page.html", context))


class LoginPage(LoginView):
    """Django's own form, in the page's clothes."""

    template_name = "web/login.html"
    next_page = "home"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return as_page(super().dispatch(request, *args, **kwargs))

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """The form; 400 where what was sent is wrong."""
        kwargs.setdefault("status", 400 if context["form"].errors else 200)
        return super().render_to_response(context, **kwargs)
