"""Every path answers with and without its last slash, without a redirect."""

from django.urls import include, re_path
from rest_framework.routers import SimpleRouter

from bmat.api.views.accounts import LoginView, LogoutAllView, LogoutView
from bmat.api.views.downloads import ReportFileView
from bmat.api.views.reports import ReportViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("reports", ReportViewSet, basename="report")

output = ReportFileView.as_view(column="output_file", suffix="totals")
rejects = ReportFileView.as_view(column="rejects_file", suffix="rejects")

urlpatterns = [
    re_path(r"^auth/login/?$", LoginView.as_view(), name="auth-login"),
    re_path(r"^auth/logout/?$", LogoutView.as_view(), name="auth-logout"),
    re_path(r"^auth/logoutall/?$", LogoutAllView.as_view(), name="auth-logoutall"),
    re_path(r"^reports/(?P<pid>[^/]+)/output/?$", output, name="report-output"),
    re_path(r"^reports/(?P<pid>[^/]+)/rejects/?$", rejects, name="report-rejects"),
    re_path("", include(router.urls)),
]
