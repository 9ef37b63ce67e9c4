"""`/api/reports/`: upload, poll, list, delete, cancel, retry."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from bmat.api.access import note, owner_of
from bmat.api.errors import ApiError
from bmat.api.models import IdempotencyKey, Report
from bmat.api.models.owners import KEY_LENGTH
from bmat.api.models.reports import LONG_COLUMNS
from bmat.api.operations import report_operations
from bmat.api.pagination import FilterSerializer, NewestFirst
from bmat.api.serializers.options import given_options
from bmat.api.serializers.reports import (
    ListedReportSerializer,
    ReportSerializer,
    SubmitSerializer,
    own_options,
    replaced_options,
)
from bmat.api.services import leases, quotas
from bmat.api.services.files import ReceivedInput
from bmat.api.services.quotas import QuotaExceeded
from bmat.api.services.reports import (
    Submission,
    WantedCallback,
    delete_report,
    retry_report,
    submit_once,
    submit_report,
)
from bmat.api.services.uploads import ending
from bmat.api.uploads import announced_bytes
from bmat.api.views.results import ResultActions
from bmat.api.views.webhooks import DeliveryActions

# https://docs.stripe.com/api/idempotent_requests
KEY_HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotent-Replayed"
POLL_AGAIN_SECONDS = 1


class TellsQuotas(APIView):
    """A view whose errors also tell a limit that was reached."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, QuotaExceeded):
            note(self.request, exc.standing)
        return super().handle_exception(exc)


@report_operations
class ReportViewSet(
    TellsQuotas, ResultActions, DeliveryActions, ListModelMixin, GenericViewSet[Report]
):
    """Uploads become reports: post CSVs as `input_file`, sent once for each, then poll their report
    until `status` is no longer 0. With the pid of a Done report as `base`, they come on top of its
    totals.

    With a `callback_url`, its receiver is told when the report ends. A POST with an
    `Idempotency-Key` can be repeated for a day: the same key and body give the same report, with
    `Idempotent-Replayed: true`; another body gives 409. `POST <pid>/cancel` stops a report and
    keeps it, `POST <pid>/retry` starts one again that has failed or was cancelled, and `DELETE`
    removes it. Its files are removed when it `expires`: from then on it answers 410. A disk that is
    nearly full refuses uploads with 507, a database that is away with 503. A user who has as much
    as the limits allow gets 429.
    """

    lookup_value_regex = "[^/]+"
    pagination_class = NewestFirst
    serializer_class = ReportSerializer

    def filter_queryset(self, queryset: Any) -> Any:
        """Narrows the list, and only the list, to what the URL's parameters say."""
        if self.action != "list":
            return queryset
        narrowed = FilterSerializer(data=self.request.query_params).narrow(queryset)
        return narrowed.defer(*LONG_COLUMNS)

    def get_serializer_class(self) -> Any:
        special = {"create": SubmitSerializer, "list": ListedReportSerializer}
        return special.get(self.action, ReportSerializer)

    def create(self, request: Request) -> Response:
        key = idempotency_key(request)
        owner = owner_of(request)
        check_quotas(request, key, owner)
        submitted = self.get_serializer(data=request.data)
        submitted.is_valid(raise_exception=True)
        submission = submission_of(submitted.validated_data, owner)
        if key is None:
            report, is_replayed = submit_report(submission), False
        else:
            report, is_replayed = submit_once(submission, key)
        headers = {
            "Location": reverse("report-detail", kwargs={"pid": report.pid}, request=request)
        }
        if is_replayed:
            headers[REPLAYED_HEADER] = "true"
        return self.answer(report, status=201, headers=headers)

    def retrieve(self, request: Request, pid: str) -> Response:
        return self.answer(self.get_kept())

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pid: str) -> Response:
        """Stops the report within a second and keeps it as Cancelled: 200. It can be repeated. 409
        where the report is Done or Failed.
        """
        report = self.get_kept()
        cancelled = leases.cancel(report.pid)
        report = self.get_kept()
        if not cancelled and report.status != Report.Status.CANCELLED:
            message = f"The report is {report.state}: there is nothing to cancel."
            raise ApiError("not_cancellable", message)
        return self.answer(report)

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pid: str) -> Response:
        """Starts a Failed or Cancelled report again, on the files that were uploaded: 202. Where
        any option is sent, blank or not, those that are replace all of before. 409 where it is
        Processing or Done.
        """
        report = self.get_kept()
        options = replaced_options(report, request.data)
        retried = retry_report(report.pid, report.input_bytes, report.owner, options)
        report = self.get_kept()
        if not retried:
            message = f"The report is {report.state}: retry is for failed and cancelled ones."
            raise ApiError("not_retryable", message)
        return self.answer(report, status=202)

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


def idempotency_key(request: Request) -> str | None:
    """The key that the request carries: it creates one thing, however often it is sent. None where
    it carries none. Raises ValidationError.
    """
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (
        1 <= len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()
    ):
        message = f"Send 1 to {KEY_LENGTH} printable ASCII characters, or no such header."
        raise ValidationError({KEY_HEADER: [message]})
    return key


def check_quotas(request: Request, key: str | None, owner: User | None) -> None:
    """Raises QuotaExceeded before anything of the body is read, unless `key` is known by now: a
    POST that is repeated adds nothing.
    """
    try:
        quotas.check(owner, more_reports=1, more_bytes=announced_bytes(request))
    except QuotaExceeded:
        if key is None or IdempotencyKey.objects.known(owner, key) is None:
            raise


def submission_of(fields: Mapping[str, Any], owner: User | None) -> Submission:
    """What the fields of an upload ask for. Raises BaseGone, and DiskFull as `on_top_of` does."""
    options = given_options(fields)
    received = [
        ReceivedInput(
            file.name, file.size, file.put_at, file.sha256.hexdigest(), own_options(file, options)
        )
        for file in fields.get("input_file", [])
    ]
    parts = fields.get("upload", [])
    received += [ending.received(upload, own_options(upload, options)) for upload in parts]
    submission = Submission(
        received,
        options,
        owner,
        uploads=[upload.pk for upload in parts],
        callback=WantedCallback.of(fields),
    )
    base = fields.get("base")
    return submission if base is None else submission.on_top_of(base)
