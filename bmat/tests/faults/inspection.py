"""What is wrong at the end of a round: reports lost or ended twice, files left over."""

from pathlib import Path

from bmat.tests.faults.database import Row
from bmat.tests.faults.service import FaultyService
from bmat.tests.faults.uploads import Uploads
from bmat.tests.live.client import DONE, FAILED

# What may be in the service's home without belonging to a report.
FOLDERS = {"uploads", "reports"}
OTHERS = ("celerybeat-schedule", "installation_id", "secret_key", "trash")
# How an attempt may end: with the report, or without it.
ENDS, NO_ENDS = {"done", "failed"}, {"lost", "handed_back"}


def lost(service: FaultyService, uploads: Uploads, may_fail_with: set[str]) -> list[str]:
    """The reports that are gone, or ended otherwise than they must; `may_fail_with` are error codes
    that the fault excuses.
    """
    rows = service.database.rows()
    known = {row.pid for row in rows}
    gone = [f"{pid}: accepted, and gone" for pid in uploads.accepted if pid not in known]
    wrong = (_wrong(service, uploads, row, may_fail_with) for row in rows)
    return [*gone, *filter(None, wrong)]


def _wrong(
    service: FaultyService, uploads: Uploads, row: Row, may_fail_with: set[str]
) -> str | None:
    """What is wrong about the end of a report. None: nothing is."""
    expected = uploads.expected[row.name]
    if row.status == FAILED and row.error_code in {expected.error_code, *may_fail_with}:
        return None
    if expected.error_code or row.status != DONE:
        return f"{row}: ended otherwise than expected"
    missing = [name for name in row.files if not (service.home / "reports" / name).is_file()]
    if missing:
        return f"{row}: without {missing}"
    body = service.client.body(row.pid)
    if service.client.download(body) != expected.totals:
        return f"{row}: other totals than the reference"
    rejects = body["rejects_file"] and service.client.download(body, "rejects_file")
    return None if rejects == expected.rejects else f"{row}: other rejects than the reference"


def doubled(service: FaultyService) -> list[str]:
    """The reports that did not end exactly once, by their row or by the log of their attempts."""
    finishes, attempts = service.database.finishes(), service.database.attempts()
    return [
        f"{row}: ended {finishes.get(row.pid, 0)} times; its attempts: {attempts.get(row.pid)}"
        for row in service.database.rows()
        if finishes.get(row.pid, 0) != 1 or not ended_once(attempts.get(row.pid, []))
    ]


def ended_once(outcomes: list[str]) -> bool:
    """Whether the last attempt, and it alone, brought the report to an end."""
    *earlier, last = outcomes or [""]
    return last in ENDS and all(outcome in NO_ENDS for outcome in earlier)


def left_over(service: FaultyService) -> list[str]:
    """Every file and folder in the service's home that belongs to no report."""
    known = {f"reports/{name}" for row in service.database.rows() for name in row.files}
    folders = {str(folder) for name in known for folder in Path(name).parents} | FOLDERS
    paths = {str(path.relative_to(service.home)) for path in service.home.rglob("*")}
    paths = {path for path in paths if not path.startswith(OTHERS)}
    return sorted(paths - known - folders)
