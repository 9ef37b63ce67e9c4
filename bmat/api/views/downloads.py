"""`/api/reports/<pid>/output` and `/rejects`: the files, streamed."""

from pathlib import PurePath
from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from rest_framework.generics import GenericAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from bmat.api.errors import FilesExpired, NoFile, NotReady
from bmat.api.models import Report
from bmat.api.schema.downloads import output_operation, rejects_operation

DEFAULT_STEM = "report"


class AnyAccepted(DefaultContentNegotiation):
    """A download is what it is, whatever `Accept` says; its errors are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ReportFileView(GenericAPIView[Report]):
    """One file of a report, as a download. 409 while it is not there, 410 once it has
    expired.
    """

    content_negotiation_class = AnyAccepted
    lookup_field = "pid"
    queryset = Report.objects.all()
    # The column that names the file, and what the download's name ends in.
    column: str
    suffix: str

    def get(self, request: Request, pid: str) -> FileResponse:
        report = self.get_object()
        if report.expired is not None:
            raise FilesExpired(report)
        name = getattr(report, self.column).name
        if report.status == Report.Status.PROCESSING:
            raise NotReady
        if not name:
            raise NoFile(f"The report is {report.state}: it has no such file.")
        try:
            file = default_storage.open(name)
        except FileNotFoundError as error:
            raise Http404 from error
        return FileResponse(
            file,
            as_attachment=True,
            filename=download_name(report.input_name, self.suffix),
            content_type="text/csv; charset=utf-8",
        )


@output_operation
class OutputView(ReportFileView):
    """The totals."""

    column = "output_file"
    suffix = "totals"


@rejects_operation
class RejectsView(ReportFileView):
    """The records that were not counted."""

    column = "rejects_file"
    suffix = "rejects"


def download_name(input_name: str, suffix: str) -> str:
    """The name that a browser saves the file under.

    >>> download_name("plays.csv", "totals")
    'plays-totals.csv'
    """
    stem = PurePath(input_name).stem.lstrip(".") or DEFAULT_STEM
    return f"{stem}-{suffix}.csv"
