"""`/api/uploads/`: files that come in parts, by the protocol tus 1.0.0.
https://tus.io/protocols/resumable-upload
"""

from contextlib import ExitStack
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, UnreadablePostError
from django.shortcuts import get_object_or_404
from django.utils.http import http_date
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from bmat.api import tus
from bmat.api.access import owner_of
from bmat.api.errors import BROKEN_OFF, ApiError
from bmat.api.models import Upload
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.models.uploads import PARTIAL
from bmat.api.operations import upload_operations, uploads_operations
from bmat.api.serializers.options import MetadataSerializer, given_options
from bmat.api.services.files import is_uuid
from bmat.api.services.reports import WantedCallback
from bmat.api.services.uploads import appending, creation, ending, pieces
from bmat.api.services.uploads.creation import Announced
from bmat.api.services.uploads.pieces import Piece
from bmat.api.uploads import last_part, length_of, receiving
from bmat.api.views.reports import REPLAYED_HEADER, TellsQuotas, idempotency_key
from bmat.server.bodies import StreamedBody

OVERRIDE_HEADER = "X-HTTP-Method-Override"
# The name of a file whose client has not said one.
UNNAMED = "upload"


class TusView(TellsQuotas):
    """What all requests of the protocol have in common."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Takes a POST for the method that its client cannot send. Other methods stay what they
        are: what may change something was looked at by then.
        """
        instead = request.headers.get(OVERRIDE_HEADER, "").upper()
        if request.method == "POST" and instead in tus.OVERRIDABLE:
            request.method = instead
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
            raise ApiError("tus_version", headers={"Tus-Version": tus.VERSION})

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204, headers=tus.offered())

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Tus-Resumable"] = tus.VERSION
        return final

    def answer(self, upload: Upload, status: int, **headers: str) -> Response:
        """Where the upload stands; and its report, once there is one."""
        told = {"Upload-Offset": str(upload.offset), **headers}
        if upload.report_id is not None:
            told["Bmat-Report"] = str(upload.report_id)
            told["Bmat-Report-Location"] = reverse(
                "report-detail", kwargs={"pid": upload.report_id}, request=self.request
            )
        else:
            told["Upload-Expires"] = http_date(upload.expires.timestamp())
        return Response(status=status, headers=told)


@uploads_operations
class UploadsView(TusView):
    """Creates uploads, empty, with their first bytes, or joined from others."""

    def post(self, request: Request) -> Response:
        key, owner = idempotency_key(request), owner_of(request)
        announced = self.announced(request)
        checksum = tus.checksum_of(request)
        has_bytes = has_body(request)
        if has_bytes:
            require_media_type(request)
        upload, is_replayed = creation.create(announced, owner, key)
        if has_bytes and not is_replayed:
            upload = first_bytes(request, upload, checksum, is_found_again=key is not None)
        headers = {
            "Location": reverse("upload-detail", kwargs={"upload": upload.pk}, request=request)
        }
        if is_replayed:
            headers[REPLAYED_HEADER] = "true"
        return self.answer(upload, 201, **headers)

    def announced(self, request: Request) -> Announced:
        """What the headers say of the new upload. Raises ValidationError."""
        concat = request.headers.get(tus.CONCAT, "")
        parts = tus.parts_of(concat, reverse("upload-list"))
        metadata = request.headers.get(tus.METADATA, "")
        is_partial = {"report": "no"} if concat == PARTIAL else {}
        sent = MetadataSerializer(data={**tus.metadata_of(metadata), **is_partial})
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        makes_report = values["report"]
        if parts is None:
            length = tus.announced_length(request)
        elif "Upload-Length" in request.headers or has_body(request):
            raise tus.wrong(tus.CONCAT, "What is joined has neither Upload-Length nor bytes.")
        else:
            visible = Upload.objects.visible_to(request.user)
            length = creation.length_of_parts(parts, visible)
        if length == 0 and makes_report:
            raise tus.wrong("Upload-Length", "The file is empty: there is nothing to report on.")
        return Announced(
            length,
            metadata,
            concat,
            last_part(values.get("filename", ""))[:INPUT_NAME_LENGTH] or UNNAMED,
            given_options(values),
            WantedCallback.of(values),
            makes_report,
            parts,
        )


@upload_operations
class UploadView(TusView):
    """One upload: where it stands, more of it, and its end."""

    def head(self, request: Request, upload: str) -> Response:
        found = self.get_upload(request, upload)
        if found.completed is None:
            pieces.settle(found.pk)
            found = ending.current(found.pk)
        found = ending.finished(found)
        headers = {"Cache-Control": "no-store"}
        if found.length is None:
            headers["Upload-Defer-Length"] = "1"
        else:
            headers["Upload-Length"] = str(found.length)
        if found.metadata:
            headers[tus.METADATA] = found.metadata
        if found.concat:
            headers[tus.CONCAT] = found.concat
        return self.answer(found, 200, **headers)

    def patch(self, request: Request, upload: str) -> Response:
        found = self.get_upload(request, upload)
        require_media_type(request)
        offset = tus.whole_number(request, "Upload-Offset")
        if offset is None:
            raise tus.wrong("Upload-Offset", "Say where the bytes belong: see HEAD.")
        length, checksum = tus.whole_number(request, "Upload-Length"), tus.checksum_of(request)
        if found.is_final:
            raise ApiError("final_upload")
        return self.answer(append(request, found, offset, length, checksum), 204)

    def delete(self, request: Request, upload: str) -> Response:
        ending.terminate(self.get_upload(request, upload))
        return Response(status=204)

    def get_upload(self, request: Request, upload_id: str) -> Upload:
        """The upload of the URL. Raises Http404, and ApiError `upload_gone`."""
        if not is_uuid(upload_id):
            raise Http404
        visible = Upload.objects.visible_to(request.user)
        return ending.there(get_object_or_404(visible, pk=upload_id))


def has_body(request: Request) -> bool:
    """Whether the request brings bytes."""
    return length_of(request) > 0 or "HTTP_TRANSFER_ENCODING" in request.META


def require_media_type(request: Request) -> None:
    """Raises UnsupportedMediaType for bytes that are sent as anything but bytes."""
    sent = request.META.get("CONTENT_TYPE", "")
    if sent.partition(";")[0].strip().lower() != tus.MEDIA_TYPE:
        message = f"Send the bytes as {tus.MEDIA_TYPE}."
        raise UnsupportedMediaType(sent, message)


def first_bytes(
    request: Request, upload: Upload, checksum: tus.Checksum | None, is_found_again: bool
) -> Upload:
    """The new upload with the bytes that came with it. Where they do not come, nobody learns its
    address: it is removed, unless it is found again by an Idempotency-Key.
    """
    with ExitStack() as on_failure:
        if not is_found_again:
            on_failure.callback(ending.terminate, upload)
        upload = append(request, upload, 0, None, checksum)
        on_failure.pop_all()
    return upload


def append(
    request: Request,
    upload: Upload,
    offset: int,
    length: int | None,
    checksum: tus.Checksum | None,
) -> Upload:
    """The upload with the request's bytes. They are read as they come, and never held whole."""
    body = Body(request._request, partial(appending.while_waiting, upload.pk))
    piece = Piece(offset, body.read, body.announced_bytes, length, checksum)
    with receiving(request._request):
        return pieces.append(upload.pk, piece)


class Body:
    """The raw body of a request. `while_waiting` is called at times while nothing comes."""

    def __init__(self, request: HttpRequest, while_waiting: Any) -> None:
        self._request = request
        self.announced_bytes = max(0, length_of(request))
        self._read_bytes = 0
        stream = request.META.get("wsgi.input")
        if isinstance(stream, StreamedBody):
            stream.while_waiting = while_waiting

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises UnreadablePostError where that comes too soon."""
        chunk = self._request.read(size)
        self._read_bytes += len(chunk)
        if not chunk and self._read_bytes < self.announced_bytes:
            raise UnreadablePostError(BROKEN_OFF)
        return chunk
