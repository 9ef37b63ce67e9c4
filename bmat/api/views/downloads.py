"""`/api/reports/<pid>/output` and `/rejects`: the files, in the format that the client wants."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from bmat.api.downloads.answers import answer
from bmat.api.downloads.errors import NoRoomForFormat
from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, Format, Wanted, wanted_by
from bmat.api.downloads.kept import download_of
from bmat.api.downloads.names import download_name
from bmat.api.errors import NOT_KEPT, NoFile
from bmat.api.schema.downloads import output_operation, rejects_operation
from bmat.api.services import files
from bmat.api.services.on_demand import NoRoom, is_there_in_time
from bmat.api.views.selector import VisibleReports

COME_AGAIN_SECONDS = 1


class AnyAccepted(DefaultContentNegotiation):
    """The view itself looks at `Accept` and `?format=`; its errors are JSON, whatever they say."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ReportFileView(VisibleReports):
    """One file of a report, as a download.

    A request can name a range, and what it has already (`ETag`). A format that is written on demand
    gets 202 where that takes longer than a few seconds. 409 while there is no file, 410 once it has
    expired.
    """

    content_negotiation_class = AnyAccepted
    # The column that names the file, and what the download's name ends in.
    column: str
    suffix: str
    formats: tuple[Format, ...]

    def get(self, request: Request, pid: str) -> HttpResponseBase:
        report = self.get_kept()
        wanted = wanted_by(request, self.formats)
        name = self.get_file_name(report, self.column)
        if wanted.format.file_name is not None:
            name = files.beside(name, wanted.format.file_name)
        try:
            if wanted.format.is_on_demand and not is_there_in_time(report, files.path(name)):
                return being_written(wanted)
            saved_as = download_name(report.input_name, self.ending(wanted), wanted.format.name)
            return answer(request, download_of(request, files.path(name), wanted, saved_as))
        except FileNotFoundError as error:
            raise NoFile(NOT_KEPT) from error
        except NoRoom as error:
            raise NoRoomForFormat from error

    def ending(self, wanted: Wanted) -> str:
        return f"{self.suffix}-excel-safe" if wanted.excel_safe else self.suffix


@output_operation
class OutputView(ReportFileView):
    """The totals."""

    column = "output_file"
    suffix = "totals"
    formats = (CSV, PARQUET, JSON_LINES)


@rejects_operation
class RejectsView(ReportFileView):
    """The records that were not counted."""

    column = "rejects_file"
    suffix = "rejects"
    formats = (CSV,)


def being_written(wanted: Wanted) -> Response:
    """202: the same request finds the file later."""
    told = {
        "detail": f"The totals are being written as {wanted.format.name}. Ask again.",
        "code": "being_written",
    }
    return Response(told, status=202, headers={"Retry-After": str(COME_AGAIN_SECONDS)})
