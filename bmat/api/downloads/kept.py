"""A file that was kept, as one request wants it: what it is then called, and what is said of it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.utils.http import content_disposition_header, http_date
from rest_framework.request import Request

from bmat.api.downloads.formats import Wanted, prefers_gzip


@dataclass(frozen=True)
class KeptFile:
    """A file of a result: it never changes. `modified` is in seconds since 1970."""

    path: Path
    size: int
    modified: int
    tag: str

    @classmethod
    def at(cls, path: Path) -> "KeptFile":
        """Raises FileNotFoundError."""
        stat = path.stat()
        identity = f"{path.parent.name}/{path.name}/{stat.st_size}/{stat.st_mtime_ns}"
        tag = hashlib.sha256(identity.encode()).hexdigest()[:32]
        return cls(path, stat.st_size, int(stat.st_mtime), tag)


@dataclass(frozen=True)
class Download:
    """A kept file, and how the client wants it. `saved_as`: the name that a browser gives it."""

    kept: KeptFile
    wanted: Wanted
    is_gzipped: bool
    saved_as: str

    @property
    def is_changed(self) -> bool:
        """Whether the client gets other bytes than those of the file."""
        return self.is_gzipped or self.wanted.excel_safe

    @property
    def etag(self) -> str:
        """Strong for the file's own bytes. What is made of them on the way may be made by another
        zlib tomorrow: it means the same then, but need not be the same.
        """
        safe = "-excel-safe" if self.wanted.excel_safe else ""
        gzip = "-gzip" if self.is_gzipped else ""
        return f'W/"{self.kept.tag}{safe}{gzip}"' if self.is_changed else f'"{self.kept.tag}"'

    def headers(self) -> dict[str, str]:
        """What every answer about it says."""
        return {
            "Content-Type": self.wanted.format.media_types[0],
            "Content-Disposition": content_disposition_header(True, self.saved_as) or "",
            "ETag": self.etag,
            "Last-Modified": http_date(self.kept.modified),
            # It may be kept by whom it belongs to, and is asked for again: it may have been
            # deleted.
            "Cache-Control": "private, no-cache",
            "Vary": "Accept, Accept-Encoding",
        }


def download_of(request: Request, path: Path, wanted: Wanted, saved_as: str) -> Download:
    """The file at `path` as the request wants it. Raises FileNotFoundError."""
    # A range is one of the file's own bytes: a compressed answer has none.
    prefers = "Range" not in request.headers or wanted.excel_safe
    is_gzipped = (
        prefers
        and wanted.format.is_text
        and prefers_gzip(request.headers.get("Accept-Encoding", ""))
    )
    return Download(KeptFile.at(path), wanted, is_gzipped, saved_as)
