"""The operations of resumable uploads, for the API's description. OPTIONS and HEAD, which it has no
operations for, are told about beside the others.
"""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_view

from bmat.api import tus
from bmat.api.schema.operations import (
    CHANGE,
    IDEMPOTENCY_KEY,
    NOT_LET_IN,
    UPLOAD,
    header,
    operation,
)

BYTES = {tus.MEDIA_TYPE: OpenApiTypes.BINARY}
NUMBER: dict[str, str | int] = {"pattern": r"^[0-9]{1,18}$"}
RESUMABLE = OpenApiParameter(
    "Tus-Resumable",
    {"type": "string", "enum": [tus.VERSION]},
    OpenApiParameter.HEADER,
    required=True,
    description="The version of the protocol.",
)
CHECKSUM = header(
    tus.CHECKSUM,
    f"The digest of the body ({', '.join(tus.ALGORITHMS)}): the algorithm, a space, Base64. Where "
    "it is wrong, nothing is added.",
)
UPLOAD_ID = OpenApiParameter(
    "upload",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The upload's, from the `Location` that its creation was answered with.",
)
OFFSET = OpenApiParameter(
    "Upload-Offset",
    {"type": "string", **NUMBER},
    OpenApiParameter.HEADER,
    required=True,
    description="Where the bytes belong: as many as the upload has by now.",
)
TOLD = (
    "`Upload-Offset` says how many bytes are safe, `Upload-Expires` until when they are kept; once "
    "there is a report, `Bmat-Report` has its pid and `Bmat-Report-Location` its address."
)
COMMON = (*NOT_LET_IN, *CHANGE, "tus_version", "invalid", "unsupported_media_type", "parse_error")
RECEIVED = (*UPLOAD, "checksum_mismatch", "too_many_transfers", "too_many_uploads")
QUOTA = ("too_many_reports", "too_many_bytes")

uploads_operations = extend_schema_view(
    post=operation(
        "create_upload",
        "Begin a resumable upload",
        "tus 1.0.0. The file then comes in one or more PATCH requests, and becomes a report with "
        "its last byte. The body may have the first bytes. `OPTIONS` on this path tells the "
        f"extensions, the largest size and the checksums. {TOLD}",
        {201: OpenApiResponse(None, "It is created: `Location` is its address.")},
        *(*COMMON, *RECEIVED, *QUOTA, "idempotency_key_reused", "idempotency_key_outlived"),
        *("upload_gone", "upload_locked", "upload_offset_mismatch"),
        parameters=[
            RESUMABLE,
            header("Upload-Length", "How many bytes it will have.", **NUMBER),
            OpenApiParameter(
                "Upload-Defer-Length",
                {"type": "string", "enum": ["1"]},
                OpenApiParameter.HEADER,
                description="Instead: a later PATCH says its length.",
            ),
            header(
                tus.METADATA,
                "Pairs of a key and a value in Base64, with commas between them: `filename`, "
                "`report` (`no`: it becomes none by itself), and every option of an upload.",
            ),
            header(
                tus.CONCAT,
                "`partial`: it is there to be joined. `final;` and the addresses of such: it is "
                "joined from them, in this order.",
            ),
            CHECKSUM,
            IDEMPOTENCY_KEY,
        ],
        request=BYTES,
        tags=["uploads"],
    )
)
upload_operations = extend_schema_view(
    patch=operation(
        "append_to_upload",
        "Send the next bytes",
        "What has arrived counts, too, where the connection breaks: `HEAD` on this path tells in "
        f"`Upload-Offset` where to go on. {TOLD} A client that can send no PATCH, DELETE or HEAD "
        "sends a POST with `X-HTTP-Method-Override`.",
        {204: OpenApiResponse(None, "They are safe on disk.")},
        *(*COMMON, *RECEIVED, *QUOTA, "not_found", "final_upload", "upload_gone"),
        *("upload_locked", "upload_offset_mismatch"),
        parameters=[
            UPLOAD_ID,
            RESUMABLE,
            OFFSET,
            header("Upload-Length", "Of an upload that did not say it at first.", **NUMBER),
            CHECKSUM,
        ],
        request=BYTES,
        tags=["uploads"],
    ),
    delete=operation(
        "terminate_upload",
        "Remove an upload",
        "Its bytes are removed. A report that it has become stays.",
        {204: OpenApiResponse(None, "It is gone.")},
        *(*NOT_LET_IN, *CHANGE, "tus_version", "not_found", "upload_gone"),
        parameters=[UPLOAD_ID, RESUMABLE],
        tags=["uploads"],
    ),
)
