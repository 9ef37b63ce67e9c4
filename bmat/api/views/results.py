"""`/api/reports/<pid>/output`, `/rejects`, `/rows`, `/summary` and `/compare`: what has come of a
report, as files and without downloading them. And which reports a request reaches: every view with
a pid in its path finds them here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, Format, wanted_by
from bmat.api.downloads.responses import download_name, download_of, file_response
from bmat.api.errors import ApiError
from bmat.api.models import Report
from bmat.api.models.reports import ReportQuerySet
from bmat.api.operations import (
    compare_operation,
    output_operation,
    rejects_operation,
    rows_operation,
    summary_operation,
)
from bmat.api.serializers.results import ComparisonSerializer, PairSerializer, QuestionSerializer
from bmat.api.services import files, results
from bmat.api.services.conversion import is_there_in_time
from bmat.results import NotInKey, OtherKey, summary

RETRY_AFTER_SECONDS = 1
WITH_FILE: dict[str, tuple[int, ...]] = {
    "output_file": (Report.Status.DONE,),
    # Of a failed one, where every record was rejected.
    "rejects_file": (Report.Status.DONE, Report.Status.FAILED),
}
WITHOUT_FILE: dict[int, str] = {
    Report.Status.PROCESSING: "report_processing",
    Report.Status.DONE: "no_file",
    Report.Status.FAILED: "report_failed",
    Report.Status.CANCELLED: "report_cancelled",
}
# Of a report that names the file.
NOT_KEPT = (
    "This result has no such file: it was removed this moment, or made by an earlier version of "
    "this service. Upload the file again."
)
# Of fields of a question, where they differ.
PARAMETERS = {"prefix": "song_prefix"}
PREPARING = "The result is being prepared for questions. Ask again."


class VisibleReports(GenericAPIView[Report]):
    """The base of each view with a pid in its path: what others own is not there."""

    lookup_field = "pid"

    def get_queryset(self) -> ReportQuerySet:
        """The reports that the request may see."""
        return Report.objects.visible_to(self.request.user)

    def get_kept(self) -> Report:
        """The report of the URL. Raises Http404, and ApiError files_expired where only its row is
        left.
        """
        return kept(self.get_object())

    def get_file_name(self, report: Report, column: str) -> str:
        """The storage's name of the file that `column` of a kept report names. Raises ApiError,
        whose code says why there is none.
        """
        name: str = getattr(report, column).name
        if report.status not in WITH_FILE[column] or not name:
            raise ApiError(WITHOUT_FILE[report.status])
        return name


def kept(report: Report) -> Report:
    """The report. Raises ApiError files_expired where only its row is left."""
    if report.expired is not None:
        removed = report.expired.isoformat(timespec="seconds")
        raise ApiError(
            "files_expired",
            f"The files of this report were removed on {removed}: they are kept for "
            f"{settings.BMAT_RETENTION_DAYS:g} days after its end. Upload the file again.",
            expired=removed,
            reason="retention",
        )
    return report


def being_written(message: str) -> Response:
    """202: the same request finds the file later."""
    told = {"code": "being_written", "message": message, "detail": message}
    return Response(told, status=202, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


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
            suffix = f"{self.suffix}-excel-safe" if wanted.excel_safe else self.suffix
            saved_as = download_name(report.input_name, suffix, wanted.format.name)
            return file_response(request, download_of(request, files.path(name), wanted, saved_as))
        except FileNotFoundError as error:
            raise ApiError("no_file", NOT_KEPT) from error


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


class ResultActions(VisibleReports):
    """The part of the reports' view set that reads results."""

    @rows_operation
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pid: str) -> Response:
        """Some rows of the totals, in pages: `{"rows": [{"song", "date", "plays"}], "next"}`, with
        each field of the key where there are others.

        `plays` is an exact JSON integer of any size: JavaScript's numbers are not, past 2^53.
        """
        report = self.get_done(self.get_kept())
        asked = QuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        limit, cursor = asked.validated_data["limit"], asked.validated_data.get("cursor", "")
        with answering():
            if not results.is_ready(report):
                return being_written(PREPARING)
            found = results.rows(report, asked.question, limit, cursor)
        url = request.build_absolute_uri()
        following = found.cursor and replace_query_param(url, "cursor", found.cursor)
        rows = [{**row.key, "date": row.date, "plays": row.plays} for row in found.rows]
        return Response({"rows": rows, "next": following})

    @summary_operation
    @action(detail=True, methods=["get"])
    def summary(self, request: Request, pid: str) -> HttpResponseBase:
        """The counts of the result, its hundred songs with the most plays, the plays per day, its
        first and last day, and the rejects by reason. All integers are exact, whatever their size:
        the sums may pass 2^63, and JavaScript's numbers are not exact past 2^53.
        """
        report = self.get_done(self.get_kept())
        # The file never changes, and no other report has an output of this name.
        etag = quote_etag(
            blake2b(str(report.output_file.name).encode(), digest_size=16).hexdigest()
        )
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        bare = HttpResponse(headers=headers)
        known = get_conditional_response(request, etag=etag, response=bare)
        if known is not None and known is not bare:
            return known
        with answering():
            file = summary(results.folder_of(report))
        return FileResponse(file, content_type="application/json", headers=headers)

    @compare_operation
    @action(detail=True, methods=["get"])
    def compare(self, request: Request, pid: str) -> Response:
        """The songs, or what else both are by, that are new, gone, up and down from the result of
        the report `with` to this one.
        """
        later = self.get_done(self.get_kept())
        asked = PairSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        other = get_object_or_404(self.get_queryset(), pid=asked.validated_data["with"])
        earlier = self.get_done(kept(other))
        with answering():
            # Both are asked for at once.
            if not all([results.is_ready(report) for report in (later, earlier)]):
                return being_written(PREPARING)
            found = results.compare(later, earlier, **asked.question)
        return Response(ComparisonSerializer(found).data)

    def get_done(self, report: Report) -> Report:
        """The kept report. Raises ApiError, whose code says why it has no result."""
        self.get_file_name(report, "output_file")
        return report


@contextmanager
def answering() -> Iterator[None]:
    """Raises the API's errors for those of the services."""
    try:
        yield
    except FileNotFoundError as error:
        raise ApiError("no_file", NOT_KEPT) from error
    except NotInKey as error:
        name = PARAMETERS.get(error.field, error.field)
        raise ValidationError({name: [str(error)]}) from error
    except OtherKey as error:
        raise ValidationError({"with": [str(error)]}) from error
