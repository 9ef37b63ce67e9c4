"""What the headers of tus 1.0.0 say, and what is wrong with them.
https://tus.io/protocols/resumable-upload
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError

from bmat.api.models.uploads import FINAL, PARTIAL
from bmat.api.services.files import is_uuid

VERSION = "1.0.0"
MEDIA_TYPE = "application/offset+octet-stream"
EXTENSIONS = (
    *("creation", "creation-with-upload", "creation-defer-length", "expiration", "checksum"),
    *("termination", "concatenation"),
)
# As the protocol calls them, and hashlib.
ALGORITHMS = ("sha1", "sha256", "md5")
# The methods that a client may have to send as a POST.
OVERRIDABLE = ("PATCH", "DELETE", "HEAD")
METADATA_BYTES = 2**14
METADATA, CONCAT, CHECKSUM = "Upload-Metadata", "Upload-Concat", "Upload-Checksum"
# As many uploads as a report may have inputs.
MOST_PARTS = 1000
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must come to."""

    algorithm: str
    digest: bytes

    def hasher(self) -> Any:
        """What finds the digest of bytes."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def wrong(header: str, message: str) -> ValidationError:
    """The error about a header."""
    return ValidationError({header: [message]})


def offered() -> dict[str, str]:
    """What this server can do, as OPTIONS tells it."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(settings.BMAT_MAX_UPLOAD_BYTES),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def whole_number(request: HttpRequest, header: str) -> int | None:
    """The header's number of bytes; None where there is no such header. Raises ValidationError."""
    text = request.headers.get(header)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) or int(text) > LARGEST:
        raise wrong(header, "Send a number of bytes, 0 or more.")
    return int(text)


def announced_length(request: HttpRequest) -> int | None:
    """How long a new upload will be; None where a later request says so. Raises ValidationError."""
    length = whole_number(request, "Upload-Length")
    deferred = request.headers.get("Upload-Defer-Length")
    if deferred not in (None, "1"):
        raise wrong("Upload-Defer-Length", "Its only value is 1.")
    if (length is None) == (deferred is None):
        raise wrong("Upload-Length", "Send either this or Upload-Defer-Length: 1.")
    return length


def metadata_of(header: str) -> dict[str, str]:
    """The values of Upload-Metadata, by their keys. Raises ValidationError."""
    if len(header) > METADATA_BYTES:
        raise wrong(METADATA, f"There are more than {METADATA_BYTES} bytes of it.")
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else []:
        key, _, encoded = pair.strip().partition(" ")
        if not key or not key.isascii() or key in found:
            raise wrong(METADATA, "Each pair has a key, and each key comes once.")
        try:
            found[key] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            message = f"The value of {key:.40} is no text in UTF-8 that is encoded in Base64."
            raise wrong(METADATA, message) from error
    return found


def checksum_of(request: HttpRequest) -> Checksum | None:
    """Upload-Checksum; None where there is none. Raises ValidationError."""
    text = request.headers.get(CHECKSUM)
    if text is None:
        return None
    algorithm, _, encoded = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise wrong(CHECKSUM, f"The algorithms are: {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise wrong(CHECKSUM, "The checksum is not encoded in Base64.") from error
    return Checksum(algorithm, digest)


def parts_of(concat: str, path: str) -> list[UUID] | None:
    """The uploads that Upload-Concat joins, whose addresses lie in `path`; None where it is empty,
    or says that the upload is to be joined itself. Raises ValidationError.
    """
    if concat in ("", PARTIAL):
        return None
    if not concat.startswith(FINAL):
        raise wrong(CONCAT, f"It is either {PARTIAL}, or {FINAL} and the uploads to join.")
    addresses = concat.removeprefix(FINAL).split()
    if not 1 <= len(addresses) <= MOST_PARTS:
        raise wrong(CONCAT, f"Name 1 to {MOST_PARTS} uploads.")
    parts = [id_in(address, path) for address in addresses]
    if len(set(parts)) < len(parts):
        # Else a short request would fill the disk with copies of one short upload.
        raise wrong(CONCAT, "Name each upload once.")
    return parts


def id_in(address: str, path: str) -> UUID:
    """The id in an upload's address, be it absolute or relative. Raises ValidationError."""
    try:
        folder, _, name = urlsplit(address).path.rstrip("/").rpartition("/")
    except ValueError:
        folder = name = ""
    if folder not in ("", path.rstrip("/")) or not is_uuid(name):
        raise wrong(CONCAT, f"This is no address of an upload: {address:.200}")
    return UUID(name)
