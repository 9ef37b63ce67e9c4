"""Every path answers with and without its last slash, without a redirect."""

from django.urls import include, re_path
from rest_framework.routers import SimpleRouter

from bmat.api.downloads.formats import CSV
from bmat.api.views.downloads import ReportFileView
from bmat.api.views.reports import ReportViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("reports", ReportViewSet, basename="report")

output = ReportFileView.as_view(column="output_file", suffix="totals")
rejects = ReportFileView.as_view(column="rejects_file", suffix="rejects", formats=(CSV,))

urlpatterns = [
    re_path(r"^reports/(?P<pid>[^/]+)/output/?$", output, name="report-output"),
    re_path(r"^reports/(?P<pid>[^/]+)/rejects/?$", rejects, name="report-rejects"),
    re_path("", include(router.urls)),
]
