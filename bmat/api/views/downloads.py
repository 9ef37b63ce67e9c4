"""`/api/reports/<pid>/output` and `/rejects`: the files, in the format that the client wants."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from bmat.api.access import NOT_KEPT, VisibleReports, being_written
from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, Format, Wanted, wanted_by
from bmat.api.downloads.responses import answer, download_name, download_of
from bmat.api.errors import ApiError
from bmat.api.schema.operations import output_operation, rejects_operation
from bmat.api.services import files
from bmat.api.services.conversion import NoRoom, is_there_in_time


class AnyAccepted(DefaultContentNegotiation):
    """The view itself looks at `Accept` and `?format=`; its errors are JSON, whatever they say."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ReportFileView(VisibleReports):
    """One file of a report, as a download.

    A request can name a range, and what it has already (`ETag`). A format that is not there yet is
    written when it is asked for, and gets 202 where that takes longer than a few seconds. 409 while
    there is no file, 410 once it has expired.
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
        try:
            if wanted.format.file_name is not None:
                if not is_there_in_time(report, wanted.format.file_name):
                    return being_written(
                        f"The totals are being written as {wanted.format.name}. Ask again."
                    )
                name = files.beside(name, wanted.format.file_name)
            saved_as = download_name(report.input_name, self.ending(wanted), wanted.format.name)
            return answer(request, download_of(request, files.path(name), wanted, saved_as))
        except FileNotFoundError as error:
            raise ApiError("no_file", NOT_KEPT) from error
        except NoRoom as error:
            raise ApiError("no_room_for_format") from error

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
