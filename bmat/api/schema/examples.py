"""A report in the states that it goes through, as examples of answers."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

REPORT_URL = "https://bmat.example/api/reports/7d1c5f0e-3c0a-4b52-9f43-5d3a2c8e9b11"

Body = dict[str, Any]

QUEUED: Body = {
    "pid": "7d1c5f0e-3c0a-4b52-9f43-5d3a2c8e9b11",
    "status": 0,
    "state": "processing",
    "stage": "queued",
    "progress": 0.0,
    "input_name": "plays.csv",
    "output_file": None,
    "rejects_file": None,
    "rows_read": 0,
    "rows_rejected": 0,
    "groups": 0,
    "plays_total": 0,
    "error": None,
    "created": "2026-11-01T08:30:00.123456Z",
    "updated": "2026-11-01T08:30:00.123456Z",
    "duration_seconds": None,
    "expires": None,
}
READING: Body = {
    **QUEUED,
    "stage": "reading",
    "progress": 0.42,
    "rows_read": 1_250_000,
    "updated": "2026-11-01T08:30:01.623456Z",
}
DONE: Body = {
    **QUEUED,
    "status": 1,
    "state": "done",
    "stage": None,
    "progress": 1.0,
    "output_file": f"{REPORT_URL}/output",
    "rejects_file": f"{REPORT_URL}/rejects",
    "rows_read": 3_000_000,
    "rows_rejected": 2,
    "groups": 90_000,
    "plays_total": 1_498_204_117,
    "updated": "2026-11-01T08:30:03.123456Z",
    "duration_seconds": 2.75,
    "expires": "2026-12-01T08:30:03.123456Z",
}
FAILED: Body = {
    **QUEUED,
    "status": 2,
    "state": "failed",
    "stage": None,
    "error": {"code": "empty_file", "message": "The file is empty. Upload a CSV with a header."},
    "updated": "2026-11-01T08:30:00.523456Z",
    "duration_seconds": 0.01,
    "expires": "2026-12-01T08:30:00.523456Z",
}
CANCELLED: Body = {
    **QUEUED,
    "status": 3,
    "state": "cancelled",
    "stage": None,
    "progress": 0.42,
    "rows_read": 1_250_000,
    "updated": "2026-11-01T08:30:02.123456Z",
    "duration_seconds": 2.0,
    "expires": "2026-12-01T08:30:02.123456Z",
}


def examples(**bodies: Any) -> list[OpenApiExample]:
    """Examples of one answer, by name."""
    return [OpenApiExample(name, body) for name, body in bodies.items()]
