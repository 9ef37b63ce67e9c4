"""Every path answers with and without its last slash, without a redirect."""

from django.urls import include, re_path
from rest_framework.routers import SimpleRouter

from bmat.api.views.accounts import LoginView, LogoutAllView, LogoutView, TokensView, TokenView
from bmat.api.views.inspect import InspectView, KeptInspectView
from bmat.api.views.reports import ReportViewSet
from bmat.api.views.results import OutputView, RejectsView
from bmat.api.views.service import schema, swagger_ui
from bmat.api.views.uploads import UploadsView, UploadView
from bmat.api.views.webhooks import WebhookViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("reports", ReportViewSet, basename="report")
router.register("webhooks", WebhookViewSet, basename="webhook")

urlpatterns = [
    re_path(r"^auth/login/?$", LoginView.as_view(), name="auth-login"),
    re_path(r"^auth/logout/?$", LogoutView.as_view(), name="auth-logout"),
    re_path(r"^auth/logoutall/?$", LogoutAllView.as_view(), name="auth-logoutall"),
    re_path(r"^tokens/?$", TokensView.as_view(), name="tokens"),
    re_path(r"^tokens/(?P<id>[0-9a-f]{16})/?$", TokenView.as_view(), name="token"),
    re_path(r"^reports/(?P<pid>[^/]+)/output/?$", OutputView.as_view(), name="report-output"),
    re_path(r"^reports/(?P<pid>[^/]+)/rejects/?$", RejectsView.as_view(), name="report-rejects"),
    re_path(r"^reports/(?P<pid>[^/]+)/inspect/?$", KeptInspectView.as_view(), name="kept-inspect"),
    re_path(r"^inspect/?$", InspectView.as_view(), name="inspect"),
    re_path(r"^uploads/?$", UploadsView.as_view(), name="upload-list"),
    re_path(r"^uploads/(?P<upload>[^/]+)/?$", UploadView.as_view(), name="upload-detail"),
    re_path(r"^schema/?$", schema, name="schema"),
    re_path(r"^docs/?$", swagger_ui, name="docs"),
    re_path("", include(router.urls)),
]
