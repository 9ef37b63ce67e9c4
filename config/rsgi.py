"""The application that granian serves: `granian --interface rsgi config.rsgi:application`."""

import os
import re

# A preview of a file runs a few records through the engine, which takes plain Python less time than
# loading the compiler. Nothing is aggregated in this process.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

# Nobody's preview shall wait for it.
import bmat.aggregation.inspection  # noqa: E402, F401
from bmat.server.application import Application, Threads  # noqa: E402
from config.wsgi import application as wsgi  # noqa: E402

from django.conf import settings  # noqa: E402  # isort: skip  # configured by config.wsgi

UPLOADS = {
    # A PATCH that its client has to send as a POST is one of the latter.
    "POST": re.compile("/api/(reports|inspect|uploads|uploads/[^/]+)/?"),
    "PATCH": re.compile("/api/uploads/[^/]+/?"),
}


def is_upload(method: str, path: str) -> bool:
    """Whether a request's body may be as large as an upload."""
    return method in UPLOADS and UPLOADS[method].fullmatch(path) is not None


application = Application(
    wsgi,
    is_upload,
    Threads(requests=settings.BMAT_WEB_THREADS, uploads=settings.BMAT_WEB_UPLOADS),
    read_seconds=settings.BMAT_READ_SECONDS,
)
