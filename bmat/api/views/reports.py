"""`/api/reports/`: upload, poll, list, delete."""

from typing import Any

from django.http import Http404
from rest_framework import mixins
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from bmat.api.models import Report
from bmat.api.serializers.reports import (
    FilterSerializer,
    ReportSerializer,
    SubmitSerializer,
    given_options,
)
from bmat.api.services.delete import delete_report
from bmat.api.services.submit import submit_report

POLL_AGAIN_SECONDS = 1


class NewestFirst(CursorPagination):
    """Pages that stay put while reports come in."""

    ordering = ("-created", "pid")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500


class ReportViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, GenericViewSet[Report]):
    """Uploads become reports: post a CSV as `input_file`, then poll its report until `status` is no
    longer 0.
    """

    lookup_field = "pid"
    lookup_value_regex = "[^/]+"
    pagination_class = NewestFirst
    queryset = Report.objects.all()
    serializer_class = ReportSerializer

    def filter_queryset(self, queryset: Any) -> Any:
        """Narrows the list, and only the list, by `?status=`."""
        if self.action != "list":
            return queryset
        wanted = FilterSerializer(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return queryset.filter(**wanted.validated_data)

    def get_serializer_class(self) -> Any:
        return SubmitSerializer if self.action == "create" else ReportSerializer

    def create(self, request: Request) -> Response:
        submitted = self.get_serializer(data=request.data)
        submitted.is_valid(raise_exception=True)
        fields = submitted.validated_data
        report = submit_report(fields["input_file"], given_options(fields))
        location = reverse("report-detail", kwargs={"pid": report.pid}, request=request)
        return self.answer(report, status=201, headers={"Location": location})

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_object())

    def destroy(self, request: Request, pid: str) -> Response:
        if not delete_report(self.get_object().pid):
            raise Http404
        return Response(status=204)

    def answer(self, report: Report, **kwargs: Any) -> Response:
        """The report's JSON; the browser or script is told when to ask again, where that makes
        sense.
        """
        shown = ReportSerializer(report, context=self.get_serializer_context())
        response = Response(shown.data, **kwargs)
        if report.status == Report.Status.PROCESSING:
            response["Retry-After"] = str(POLL_AGAIN_SECONDS)
        return response
