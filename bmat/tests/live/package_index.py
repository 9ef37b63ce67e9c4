"""Packages of the tests' own, and an index that serves them, with broken downloads if asked."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


def make_wheel(folder: Path, name: str, version: str, *metadata: str) -> Path:
    """A package with one module of its name; `metadata` are further lines of its METADATA."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": "\n".join(
            ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]
        ),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in {**files, f"{about}/RECORD": record}.items():
            # With a date of its own, which is always the same: so are the bytes.
            wheel.writestr(zipfile.ZipInfo(file), content)
    return path


def write_lock(path: Path, *wheels: Path) -> Path:
    """A lock file that names exactly these wheels."""
    lines = []
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{digest}\n    # via the tests\n")
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines))
    return path


class Index(ThreadingHTTPServer):
    """Serves the wheels of a folder. The next `broken` downloads are garbled, or cut off."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.broken = 0
        self.how = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"

    def break_downloads(self, times: int, how: str) -> None:
        """`how`: "garbled" (other bytes, which caches may keep) or "cut off" (half of them)."""
        self.broken, self.how = times, how


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        folder, _, name = self.path.strip("/").rpartition("/")
        if folder == "simple":
            wheels = self.server.folder.glob(f"{name}-*.whl")
            links = "".join(f'<a href="/files/{path.name}">{path.name}</a>' for path in wheels)
            self._answer("text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode())
            return
        content = (self.server.folder / name).read_bytes()
        self._answer("application/octet-stream", content)

    def _answer(self, media_type: str, content: bytes) -> None:
        breaks = media_type != "text/html" and self.server.broken > 0
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store" if "html" in media_type else "max-age=3600")
        self.end_headers()
        if breaks:
            self.server.broken -= 1
            half = len(content) // 2
            content = content[:half] + (b"?" * half if self.server.how == "garbled" else b"")
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing: the tests look at what pip says."""


@contextmanager
def index(folder: Path) -> Iterator[Index]:
    with Index(folder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
