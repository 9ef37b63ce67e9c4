"""Bodies of uploads, byte by byte, for clients that no HTTP library would play."""

from collections.abc import Callable, Iterator

BOUNDARY = "live-tests-boundary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
AFTER = f"\r\n--{BOUNDARY}--\r\n".encode()


def before(name: str) -> bytes:
    """What a multipart body says in front of the content of the file `name`."""
    return (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="input_file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    ).encode()


def request_head(port: int, content_length: int) -> bytes:
    """The head of a request that announces a multipart body of `content_length` bytes."""
    return (
        f"POST /api/reports/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {content_length}\r\n\r\n"
    ).encode()


class StreamedUpload:
    """A multipart body that is made while it is sent: it lies nowhere as a whole.

    `content` makes the file's bytes anew each time it is called; they are `content_bytes` many.
    """

    def __init__(
        self, name: str, content: Callable[[], Iterator[bytes]], content_bytes: int
    ) -> None:
        self._before = before(name)
        self._content = content
        self._length = len(self._before) + content_bytes + len(AFTER)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        yield self._before
        yield from self._content()
        yield AFTER
