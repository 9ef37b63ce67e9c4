"""Which path leads where."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from bmat.api.views.service import health

urlpatterns = [
    path("api/", include("bmat.api.urls")),
    re_path(r"^healthz/?$", health, name="health"),
    re_path(r"^admin$", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("", include("bmat.web.urls")),
]
