"""What the operations on reports take and answer."""

from drf_spectacular.utils import OpenApiExample, OpenApiRequest, OpenApiResponse
from drf_spectacular.utils import extend_schema as operation
from drf_spectacular.utils import extend_schema_view as operations
from rest_framework.exceptions import NotFound, PermissionDenied, UnsupportedMediaType

from bmat.api.errors import (
    FilesExpired,
    FormTooLarge,
    IdempotencyKeyOutlived,
    IdempotencyKeyReused,
    NotCancellable,
    NotRetryable,
)
from bmat.api.forms import UploadTooLarge
from bmat.api.hosts import ForeignOrigin
from bmat.api.received import DiskFull
from bmat.api.schema import examples
from bmat.api.schema.errors import bad_request, errors
from bmat.api.schema.parameters import (
    ETAG,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    LOCATION,
    NOT_MODIFIED,
    PID,
    REPLAYED,
    retry_after,
)
from bmat.api.schema.uploads import UPLOAD
from bmat.api.serializers.reports import FilterSerializer, ReportSerializer
from bmat.api.services.quotas import TooManyBytes, TooManyReports
from bmat.api.throttling import TooManyRequests
from bmat.api.transfers import TooManyTransfers
from bmat.api.uploads import UploadTimedOut

EXAMPLE = OpenApiExample(
    "plays",
    {
        "input_file": "Song,Date,Number of Plays\nUmbrella,2020-01-02,200\n",
        "delimiter": ",",
        "strict": "false",
    },
    description="The file's content stands for the file.",
)

report_operations = operations(
    list=operation(
        operation_id="list_reports",
        summary="The reports, newest first",
        description="In pages: `next` and `previous` are the addresses of those beside this one.",
        parameters=[FilterSerializer, IF_NONE_MATCH, ETAG],
        responses={
            200: OpenApiResponse(
                ReportSerializer(many=True), "A page.", examples.examples(page=examples.DONE)
            ),
            **NOT_MODIFIED,
            **bad_request(status={"status": ['"9" is not a valid choice.']}),
        },
    ),
    create=operation(
        operation_id="create_report",
        summary="Upload a file",
        description="Answered once the file is safe on disk. A worker then processes it: poll the "
        "`Location`. Sent again with the same `Idempotency-Key`, it creates nothing.",
        parameters=[IDEMPOTENCY_KEY, LOCATION, REPLAYED, retry_after(201)],
        request={"multipart/form-data": OpenApiRequest(UPLOAD, examples=[EXAMPLE])},
        responses={
            201: OpenApiResponse(
                ReportSerializer, "The report.", examples.examples(queued=examples.QUEUED)
            ),
            **bad_request(
                no_file={"input_file": ["No file was submitted."]},
                broken_off={
                    "detail": "The upload ended before all of it had arrived. Send it again."
                },
            ),
            **errors(
                IdempotencyKeyReused,
                IdempotencyKeyOutlived,
                UploadTooLarge,
                FormTooLarge,
                UnsupportedMediaType,
                TooManyRequests,
                TooManyReports,
                TooManyBytes,
                TooManyTransfers,
                UploadTimedOut,
                PermissionDenied,
                ForeignOrigin,
                DiskFull,
            ),
        },
    ),
    retrieve=operation(
        operation_id="get_report",
        summary="Poll a report",
        description="`status` is 0 while it is processed, 1 Done, 2 Failed, 3 Cancelled.",
        parameters=[PID, IF_NONE_MATCH, ETAG, retry_after(200, 304)],
        responses={
            200: OpenApiResponse(
                ReportSerializer,
                "The report.",
                examples.examples(
                    queued=examples.QUEUED,
                    reading=examples.READING,
                    done=examples.DONE,
                    failed=examples.FAILED,
                    cancelled=examples.CANCELLED,
                ),
            ),
            **NOT_MODIFIED,
            **errors(NotFound, FilesExpired),
        },
    ),
    destroy=operation(
        operation_id="delete_report",
        summary="Remove a report",
        description="It is stopped where it runs, and its files are removed.",
        parameters=[PID],
        responses={
            204: OpenApiResponse(None, "It is gone."),
            **errors(NotFound, PermissionDenied, ForeignOrigin),
        },
    ),
    cancel=operation(
        operation_id="cancel_report",
        summary="Stop a report",
        description="It stops within a second, and is kept as Cancelled. Can be repeated.",
        parameters=[PID],
        request=None,
        responses={
            200: OpenApiResponse(
                ReportSerializer, "The report.", examples.examples(cancelled=examples.CANCELLED)
            ),
            **errors(NotFound, PermissionDenied, ForeignOrigin, NotCancellable, FilesExpired),
        },
    ),
    retry=operation(
        operation_id="retry_report",
        summary="Start a report again",
        description="A Failed or Cancelled one, on the file that was uploaded.",
        parameters=[PID, retry_after(202)],
        request=None,
        responses={
            202: OpenApiResponse(
                ReportSerializer, "The report.", examples.examples(queued=examples.QUEUED)
            ),
            **errors(
                NotFound,
                PermissionDenied,
                ForeignOrigin,
                NotRetryable,
                FilesExpired,
                TooManyRequests,
                TooManyReports,
            ),
        },
    ),
)
