"""`/api/reports/<pid>/rows`, `/summary` and `/compare`: results, without downloading them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from bmat.api.access import NOT_KEPT, VisibleReports, being_written
from bmat.api.errors import ApiError
from bmat.api.models import Report
from bmat.api.schema.operations import compare_operation, rows_operation, summary_operation
from bmat.api.serializers.results import ComparisonSerializer, PairSerializer, QuestionSerializer
from bmat.api.services import results
from bmat.api.services.conversion import NoRoom
from bmat.api.services.results import BadCursor, TooManyQuestions
from bmat.results import NotInKey, OtherKey, summary

CURSOR_REFUSED = "This cursor is not one of these rows. Follow `next`, or start without a cursor."
# Of fields of a question, where they differ.
PARAMETERS = {"prefix": "song_prefix"}
PREPARING = "The result is being prepared for questions. Ask again."


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
        fields = asked.validated_data

        def answer() -> Response:
            cursor = fields.get("cursor", "")
            found = results.rows(report, asked.question, fields["limit"], cursor)
            url = request.build_absolute_uri()
            following = found.cursor and replace_query_param(url, "cursor", found.cursor)
            rows = [{**row.key, "date": row.date, "plays": row.plays} for row in found.rows]
            return Response({"rows": rows, "next": following})

        return answered([report], answer)

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
        earlier = self.get_done(self.get_other_kept(asked.validated_data["with"]))

        def answer() -> Response:
            found = results.compare(later, earlier, **asked.question)
            return Response(ComparisonSerializer(found).data)

        return answered([later, earlier], answer)

    def get_done(self, report: Report) -> Report:
        """The kept report. Raises ApiError, whose code says why it has no result."""
        self.get_file_name(report, "output_file")
        return report


def answered(reports: list[Report], answer: Callable[[], Response]) -> Response:
    """The answer about these results; or 202 where they have to be converted first. Raises
    ValidationError and APIException.
    """
    with answering():
        if all([results.is_ready(report) for report in reports]):
            return answer()
        return being_written(PREPARING)


@contextmanager
def answering() -> Iterator[None]:
    """Raises the API's errors for those of the services."""
    try:
        yield
    except FileNotFoundError as error:
        raise ApiError("no_file", NOT_KEPT) from error
    except NoRoom as error:
        raise ApiError("no_room_for_format") from error
    except TooManyQuestions as error:
        raise ApiError("too_many_questions") from error
    except NotInKey as error:
        name = PARAMETERS.get(error.field, error.field)
        raise ValidationError({name: [str(error)]}) from error
    except OtherKey as error:
        raise ValidationError({"with": [str(error)]}) from error
    except BadCursor as error:
        raise ValidationError({"cursor": [CURSOR_REFUSED]}) from error
