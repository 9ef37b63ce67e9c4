"""What a tus client sends, as the tests do."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from django.test import Client

UPLOADS = "/api/uploads/"
RESUMABLE = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(**values: str) -> str:
    """Upload-Metadata of these values."""
    pairs = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return ",".join(f"{key} {value}".strip() for key, value in pairs.items())


def checksum(content: bytes, algorithm: str = "sha1") -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


class Sender:
    """Sends uploads with Django's client; each with these headers."""

    def __init__(self, client: Client, headers: Mapping[str, str] | None = None) -> None:
        self.client = client
        self.headers = {**RESUMABLE, **(headers or {})}

    def send(self, method: str, url: str, body: Any = b"", **headers: str) -> Any:
        """Sends a request; a `_` in a header's name stands for `-`. The body may be a stream, which
        goes on for as long as it likes.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        # Django's client says it of a body that is not empty alone.
        extra: dict[str, Any] = {"CONTENT_TYPE": named.pop("Content-Type", BYTES if body else "")}
        if hasattr(body, "read"):
            extra |= {"wsgi.input": body, "CONTENT_LENGTH": named.pop("Content-Length")}
            body = b""
        return self.client.generic(method, url, body, headers={**self.headers, **named}, **extra)

    def create(self, length: int | None, **values: str) -> Any:
        """Creates an upload with these values as its metadata."""
        headers = {} if length is None else {"Upload-Length": str(length)}
        if values:
            headers["Upload-Metadata"] = metadata(**values)
        return self.send("POST", UPLOADS, **headers)

    def created(self, length: int, **values: str) -> str:
        """The path of an upload that is created."""
        answer = self.create(length, **values)
        assert answer.status_code == 201, answer.content
        return path_of(answer)

    def patch(self, url: str, offset: int, body: Any, **headers: str) -> Any:
        return self.send(
            "PATCH", url, body, Upload_Offset=str(offset), Content_Type=BYTES, **headers
        )

    def head(self, url: str) -> Any:
        return self.send("HEAD", url)

    def whole(self, content: bytes, **values: str) -> str:
        """The path of an upload that has arrived."""
        url = self.created(len(content), **values)
        assert self.patch(url, 0, content).status_code == 204
        return url


def path_of(answer: Any) -> str:
    """The path of the upload that an answer tells."""
    return str(answer["Location"]).removeprefix("http://testserver")
