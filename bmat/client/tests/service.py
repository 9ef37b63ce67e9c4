"""A service of the tests' own: as much of the API as the client uses, and faults on demand."""

import email
import hashlib
import json
import ssl
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

TOTALS = b"Song,Date,Total Number of Plays for Date\n" + b"Umbrella,2020-01-02,250\n" * 20_000
REJECTS = b"Line,Reason,Record\n9,invalid_date,x\n"
TOKEN = "a-token-of-the-tests"
TUS = {
    "Tus-Version": "1.0.0",
    "Tus-Extension": "creation,checksum,termination",
    "Tus-Checksum-Algorithm": "sha1,sha256",
}


@dataclass
class Fault:
    """What happens to the next requests of a method to paths with `part` in them, instead of the
    answer: an answer with a status, or a connection that is closed after so many bytes of the body.
    """

    method: str
    part: str = ""
    status: int | None = None
    body: Mapping[str, Any] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after_bytes: int = 0
    # Closed once the request has been carried out: only its answer is lost.
    loses_answer: bool = False
    times: int = 1


class Service(ThreadingHTTPServer):
    """Reports that are done at the second look, and uploads; with a certificate, behind TLS."""

    daemon_threads = True

    def __init__(self, port: int = 0, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.scheme = "http"
        if certificate is not None:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.lock = Lock()
        self.offers_tus = True
        self.asks_for_token = False
        self.etag = '"totals-1"'
        self.outcome: dict[str, Any] = {"state": "done", "status": 1}
        self.looks_until_done = 2
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.reports: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, list[bytes]] = {}
        self.forms: list[dict[str, list[str]]] = []
        self.pids_by_key: dict[str, str] = {}
        self.uploads: dict[str, bytearray] = {}
        self.upload_lengths: dict[str, int] = {}
        self.pids_by_upload: dict[str, str] = {}
        self.uploads_by_key: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.patched_bytes = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that hang up in the middle: some tests are about that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def fail(self, method: str, part: str = "", **what: Any) -> None:
        self.faults.append(Fault(method, part, **what))

    def fault_for(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and fault.part in path and fault.times:
                fault.times -= 1
                return fault
        return None

    def asked(self, method: str, part: str = "") -> list[Mapping[str, str]]:
        """The headers of the requests of a method to such paths."""
        return [headers for how, path, headers in self.requests if how == method and part in path]

    def add_report(self, name: str, contents: list[bytes]) -> dict[str, Any]:
        pid = str(uuid4())
        self.contents[pid] = contents
        self.reports[pid] = {
            "pid": pid,
            "status": 0,
            "state": "processing",
            "stage": "reading",
            "progress": 0.5,
            "input_name": name,
            "inputs": [],
            "base": None,
            "output_file": None,
            "rejects_file": None,
            "rows_read": 0,
            "rows_rejected": 0,
            "rows_left_out": 0,
            "rejects_sample": {},
            "warnings": [],
            "preset": None,
            "group_by": ["song"],
            "groups": 0,
            "plays_total": 0,
            "error": None,
            "created": f"2026-11-01T10:00:{len(self.reports):02}Z",
            "updated": "2026-11-01T10:00:00Z",
            "duration_seconds": None,
            "expires": "2026-12-01T10:00:00Z",
            "looks": 0,
        }
        return self.reports[pid]

    def look(self, pid: str) -> dict[str, Any]:
        report = self.reports[pid]
        report["looks"] += 1
        if report["looks"] >= self.looks_until_done and report["state"] == "processing":
            report.update({"stage": None, "progress": 1.0, "rows_read": 8, "rows_rejected": 1})
            report["rejects_file"] = f"{self.url}/api/reports/{pid}/rejects"
            report.update({"groups": 4, "plays_total": 2400, **self.outcome})
        return report


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def handle_request(self) -> None:
        self.fault = self.server.fault_for(self.command, self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if self.fault and not self.fault.status and not self.fault.loses_answer:
            is_cut_answer = self.command == "GET" and self.fault.cut_after_bytes
            if not is_cut_answer:
                self.rfile.read(min(self.fault.cut_after_bytes, length))
                self.close_connection = True
                return
        self.content = self.rfile.read(length)
        if len(self.content) < length:
            self.close_connection = True
            return
        if self.command == "PATCH":
            self.server.patched_bytes += len(self.content)
        with self.server.lock:
            self.server.requests.append((self.command, self.path, dict(self.headers.items())))
        if self.fault and self.fault.status:
            self.answer(self.fault.status, self.fault.body, self.fault.headers)
            return
        if self.server.asks_for_token and self.headers.get("Authorization") != f"Token {TOKEN}":
            self.error(401, "not_authenticated", "This service asks who you are.")
            return
        self.route()

    do_GET = do_POST = do_HEAD = do_PATCH = do_DELETE = do_OPTIONS = handle_request

    def route(self) -> None:
        url = urlsplit(self.path)
        self.question = parse_qs(url.query)
        parts = url.path.removeprefix("/api/").split("/")
        match self.command, *parts:
            case "OPTIONS", "uploads", "" if self.server.offers_tus:
                self.answer(204, b"", TUS)
            case "POST", "uploads", "" if self.server.offers_tus:
                self.create_upload()
            case "HEAD", "uploads", name if name in self.server.uploads:
                told = {"Upload-Offset": str(len(self.server.uploads[name]))}
                if name in self.server.pids_by_upload:
                    told["Bmat-Report"] = self.server.pids_by_upload[name]
                self.answer(200, b"", told)
            case "PATCH", "uploads", name if name in self.server.uploads:
                self.append(name)
            case "DELETE", "uploads", name:
                self.server.uploads.pop(name, None)
                self.answer(204)
            case "POST", "reports", "":
                self.create_report()
            case "GET", "reports", "":
                self.list_reports()
            case "POST", "inspect":
                form = self.form()
                self.answer(200, INSPECTION | {"preset": form["input_file"][0].decode()[:4]})
            case "POST", "auth", "login":
                given = json.loads(self.content)
                if given["password"] == "right":
                    self.answer(200, {"token": TOKEN, "expiry": "2027-01-01T00:00:00Z"})
                else:
                    self.error(401, "wrong_login", "No user has this name and this password.")
            case "POST", "auth", "logout":
                self.answer(204)
            case _, "reports", pid, *rest if pid in self.server.reports:
                self.report(pid, rest)
            case _:
                self.error(404, "not_found", "Not found.")

    def report(self, pid: str, rest: list[str]) -> None:
        match self.command, *rest:
            case ("GET",):
                report = self.server.look(pid)
                etag = f'"{report["state"]}"'
                if self.headers.get("If-None-Match") == etag:
                    self.answer(304, b"", {"ETag": etag})
                else:
                    self.answer(200, report, {"ETag": etag})
            case ("DELETE",):
                del self.server.reports[pid]
                self.answer(204)
            case "GET", "output":
                self.send_file(TOTALS)
            case "GET", "rejects":
                self.send_file(REJECTS)
            case "GET", "rows":
                self.rows()
            case "GET", "summary":
                self.answer(200, SUMMARY)
            case "GET", "compare":
                self.answer(200, COMPARISON)
            case "POST", "cancel" | "retry":
                is_retry = rest == ["retry"]
                report = self.server.reports[pid]
                if is_retry and report["state"] == "processing":
                    self.error(409, "not_retryable", "The report is processing.")
                    return
                report["state"] = "processing" if is_retry else "cancelled"
                self.answer(202 if is_retry else 200, report)

    def create_upload(self) -> None:
        server, key = self.server, self.headers["Idempotency-Key"]
        name = server.uploads_by_key.get(key) or str(uuid4())
        if name not in server.uploads:
            server.uploads_by_key[key] = name
            server.uploads[name] = bytearray()
            server.upload_lengths[name] = int(self.headers["Upload-Length"])
            metadata = dict(pair.split(" ") for pair in self.headers["Upload-Metadata"].split(","))
            assert b64decode(metadata["report"]) == b"false"
            server.names[name] = b64decode(metadata["filename"]).decode()
        self.answer(201, b"", {"Location": f"http://behind.a.proxy/api/uploads/{name}"})

    def append(self, name: str) -> None:
        upload = self.server.uploads[name]
        algorithm, _, digest = self.headers.get("Upload-Checksum", "").partition(" ")
        if int(self.headers["Upload-Offset"]) != len(upload):
            self.error(409, "upload_offset_mismatch", "The upload goes on elsewhere.")
        elif (
            algorithm
            and b64encode(hashlib.new(algorithm, self.content).digest()).decode() != digest
        ):
            self.error(460, "checksum_mismatch", "The bytes have another checksum.")
        else:
            upload += self.content
            self.answer(204, b"", {"Upload-Offset": str(len(upload))})

    def form(self) -> dict[str, list[bytes]]:
        kind = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form: dict[str, list[bytes]] = {}
        self.file_name = ""
        for part in list(email.message_from_bytes(kind + self.content).walk())[1:]:
            name = part.get_param("name", header="Content-Disposition")
            self.file_name = part.get_filename() or self.file_name
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            form.setdefault(str(name), []).append(content)
        return form

    def create_report(self) -> None:
        server, form = self.server, self.form()
        ids = [each.decode() for each in form.pop("upload", [])]
        files = form.pop("input_file", [])
        texts = {name: [each.decode() for each in values] for name, values in form.items()}
        if lost := [each for each in ids if each not in server.uploads]:
            self.error(410, "upload_gone", f"Gone: {lost}")
            return
        if "delimiter" in texts and texts["delimiter"] == ["no"]:
            fields = {"delimiter": ["It is no delimiter."]}
            told = {"code": "invalid", "message": "delimiter: wrong", "fields": fields}
            self.answer(400, told)
            return
        with server.lock:
            key = self.headers["Idempotency-Key"]
            if key not in server.pids_by_key:
                contents = [bytes(server.uploads[each]) for each in ids] or files
                name = server.names[ids[0]] if ids else self.file_name
                server.pids_by_key[key] = server.add_report(name, contents)["pid"]
                server.pids_by_upload |= dict.fromkeys(ids, server.pids_by_key[key])
                server.forms.append(texts)
        report = server.reports[server.pids_by_key[key]]
        self.answer(201, report, {"Location": f"{server.url}/api/reports/{report['pid']}"})

    def list_reports(self) -> None:
        wanted = [int(status) for status in self.question.get("status", [])]
        found = [
            report
            for report in reversed(self.server.reports.values())
            if not wanted or report["status"] in wanted
        ]
        first = int(self.question.get("cursor", ["0"])[0])
        behind = first + int(self.question["page_size"][0])
        following = f"http://behind.a.proxy/api/reports/?cursor={behind}&page_size={behind - first}"
        told = {"results": found[first:behind]}
        self.answer(200, told | {"next": following if behind < len(found) else None})

    def rows(self) -> None:
        first, limit = int(self.question.get("cursor", ["0"])[0]), int(self.question["limit"][0])
        rows = [{"song": f"Song, {n}", "date": "2020-01-02", "plays": n} for n in range(5)]
        following = f"http://behind.a.proxy/rows?limit={limit}&cursor={first + limit}"
        has_more = first + limit < len(rows)
        told = {"rows": rows[first : first + limit], "next": following if has_more else None}
        self.answer(200, told)

    def send_file(self, content: bytes) -> None:
        etag = self.server.etag
        headers = {"ETag": etag} if "excel_safe" not in self.question else {}
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range") == etag:
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
            if first >= len(content):
                self.error(416, "range_not_satisfiable", "The range begins behind the end.")
                return
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.answer(206, content[first:], headers)
            return
        self.answer(200, content, headers)

    def error(self, status: int, code: str, message: str) -> None:
        self.answer(status, {"code": code, "message": message})

    def answer(
        self, status: int, body: Mapping[str, Any] | bytes = b"", headers: Mapping[str, str] = {}
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if self.fault and self.fault.loses_answer:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.fault and self.fault.cut_after_bytes:
            content = content[: self.fault.cut_after_bytes]
            self.close_connection = True
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing: the tests look at what the client says."""


@contextmanager
def running(port: int = 0, certificate: Path | None = None) -> Iterator[Service]:
    with Service(port, certificate) as service:
        Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield service
        finally:
            service.shutdown()


INSPECTION: dict[str, Any] = {
    "encoding": "utf-8",
    "delimiter": ",",
    "line_end": "LF",
    "header_line": 1,
    "preset": "default",
    "columns": [{"name": "Song", "role": "song"}, {"name": "Price", "role": None}],
    "records": [
        {
            "line": 2,
            "fields": ["Umbrella", "1"],
            "key": {"song": "Umbrella"},
            "date": "2020-01-02",
            "plays": 200,
            "reason": None,
        },
        {
            "line": 3,
            "fields": ["\x1b[2J"],
            "key": None,
            "date": None,
            "plays": None,
            "reason": "missing_field",
        },
    ],
    "is_cut": False,
    "error": None,
}
SUMMARY: dict[str, Any] = {
    "rows_read": 8,
    "rows_counted": 7,
    "rows_rejected": 1,
    "rows_left_out": 0,
    "groups": 4,
    "plays_total": 2400,
    "rejects_by_reason": {"invalid_date": 1},
    "first_day": "2020-01-01",
    "last_day": None,
    "top_songs": [{"song": "In The End", "plays": 2000}],
    "plays_by_day": {"2020-01-01": 1650},
}
UNCHANGED: dict[str, Any] = {"count": 0, "plays_before": 0, "plays": 0, "largest": []}
COMPARISON: dict[str, Any] = dict.fromkeys(("gone", "up", "down", "same"), UNCHANGED) | {
    "new": {
        "count": 1,
        "plays_before": 0,
        "plays": 7,
        "largest": [{"song": "New", "date": "2020-01-01", "difference": 7}],
    }
}
