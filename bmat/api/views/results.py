"""`/api/reports/<pid>/rows` and `/summary`: a result, without downloading it."""

from django.http import FileResponse, HttpResponseBase
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from bmat.api.errors import NOT_KEPT, NoFile
from bmat.api.schema.results import CURSOR_REFUSED, rows_operation, summary_operation
from bmat.api.serializers.rows import QuestionSerializer
from bmat.api.services import files
from bmat.api.services.rows import MOST_SORTED_ROWS, Answer, BadCursor, TooManyToSort, ask
from bmat.api.views.conditional import CACHE_CONTROL, not_modified, weak_etag
from bmat.api.views.selector import VisibleReports

TOO_MANY_TO_SORT = (
    f"This song has more than {MOST_SORTED_ROWS:,} rows, too many to sort by plays: use date."
)


class ResultActions(VisibleReports):
    """The part of the reports' view set that reads results."""

    @rows_operation
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pid: str) -> Response:
        """Some rows of the totals, in pages: `{"rows": [{"song", "date", "plays"}], "next"}`.

        A page may have fewer rows than `limit`, even none; only `next: null` says that there are no
        more. `plays` is an exact JSON integer up to 2^63-1: JavaScript's numbers are not, past
        2^53.
        """
        output_name = self.get_output_name()
        asked = QuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        answer = answer_of(output_name, asked, fields["limit"], fields.get("cursor", ""))
        url = request.build_absolute_uri()
        following = answer.cursor and replace_query_param(url, "cursor", answer.cursor)
        rows = [
            {"song": row.song, "date": row.date.isoformat(), "plays": row.plays}
            for row in answer.rows
        ]
        return Response({"rows": rows, "next": following})

    @summary_operation
    @action(detail=True, methods=["get"])
    def summary(self, request: Request, pid: str) -> HttpResponseBase:
        """The counts of the result, its hundred songs with the most plays, the plays per day, its
        first and last day, and the rejects by reason. All integers are exact, whatever their size:
        the sums may pass 2^63, and JavaScript's numbers are not exact past 2^53.
        """
        name = files.beside(self.get_output_name(), files.SUMMARY)
        # The file never changes, and no other has its name.
        etag = weak_etag(name.encode())
        known = not_modified(request, etag)
        if known is not None:
            return known
        try:
            file = files.path(name).open("rb")
        except FileNotFoundError as error:
            raise NoFile(NOT_KEPT) from error
        headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL}
        return FileResponse(file, content_type="application/json", headers=headers)

    def get_output_name(self) -> str:
        """The storage's name of the output of the URL's report. Raises Http404, FilesExpired,
        and NoFile and its kin.
        """
        return self.get_file_name(self.get_kept(), "output_file")


def answer_of(output_name: str, asked: QuestionSerializer, limit: int, cursor: str) -> Answer:
    """Raises ValidationError and NoFile."""
    try:
        return ask(output_name, asked.question, limit, cursor)
    except FileNotFoundError as error:
        raise NoFile(NOT_KEPT) from error
    except BadCursor as error:
        raise ValidationError({"cursor": [CURSOR_REFUSED]}) from error
    except TooManyToSort as error:
        raise ValidationError({"order": [TOO_MANY_TO_SORT]}) from error
