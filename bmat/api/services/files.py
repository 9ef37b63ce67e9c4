"""Where a report's files lie: in the folder <pid>, none of whose names comes from a user.

    <pid>/input.csv, input-2.csv, input-3.csv, ...
    <pid>/<lease token>/output.csv, rejects.csv, summary.json
    <pid>/<lease token>/totals.parquet, totals.jsonl, which are made of the output when wanted

Each attempt writes in a folder of its own, and the row says whose files count. So a worker that has
lost its lease can neither overwrite nor remove the files of the one that has it.
"""

import logging
import os
import shutil
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.core.files.storage import default_storage

from bmat.api.models import Report
from bmat.results.files import JSON_LINES, OUTPUT, PARQUET, REJECTS, SUMMARY

logger = logging.getLogger(__name__)

__all__ = ["JSON_LINES", "OUTPUT", "PARQUET", "REJECTS", "SUMMARY"]


def input_name(pid: UUID, number: int = 0) -> str:
    """The storage's name of the report's input `number`, from 0.

    >>> input_name("pid"), input_name("pid", 1)
    ('pid/input.csv', 'pid/input-2.csv')
    """
    return f"{pid}/input-{number + 1}.csv" if number else f"{pid}/input.csv"


def output_name(pid: UUID, lease_token: UUID) -> str:
    """The storage's name of the totals that the holder of `lease_token` writes."""
    return f"{pid}/{lease_token}/{OUTPUT}"


def rejects_name(pid: UUID, lease_token: UUID) -> str:
    """The storage's name of the rejects that the holder of `lease_token` writes."""
    return f"{pid}/{lease_token}/{REJECTS}"


def beside(output_name: str, file_name: str) -> str:
    """The storage's name of a file that lies beside an output: PARQUET, SUMMARY or JSON_LINES.

    >>> beside("pid/token/output.csv", PARQUET)
    'pid/token/totals.parquet'
    """
    return str(PurePosixPath(output_name).with_name(file_name))


def beside_output(report: Report, file_name: str) -> Path:
    """The path of a file that lies, or would lie, beside a report's output."""
    return path(beside(report.output_file.name or "", file_name))


def part_of(file: Path) -> Path:
    """Where a file is written that is made from a result: its own name appears when it is whole."""
    return file.with_name(f".{file.name}.part")


def is_part(file: Path) -> bool:
    """Whether the file is one that is, or was, being written."""
    return file.name.startswith(".") and file.suffix == ".part"


def path(name: str) -> Path:
    """The file of a name."""
    return Path(default_storage.path(name))


def report_folder(pid: UUID) -> Path:
    """The folder that holds everything of a report."""
    return path(str(pid))


def attempt_folder(pid: UUID, lease_token: UUID) -> Path:
    """The folder in which the holder of `lease_token` writes."""
    return report_folder(pid) / str(lease_token)


def attempt_that_counts(report: Report) -> str:
    """The name of the folder in which the report's files lie, which is that of a lease token; empty
    where it has none but its input.
    """
    return PurePosixPath(report.output_file.name or report.rejects_file.name or "").parent.name


def start_attempt(pid: UUID, lease_token: UUID) -> Path:
    """An empty folder for the holder of `lease_token`. Raises FileNotFoundError where the report's
    own folder is gone.
    """
    folder = attempt_folder(pid, lease_token)
    folder.mkdir()
    return folder


def names_in(folder: Path) -> list[str]:
    """What is in the folder; nothing, if it has just been removed."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def is_uuid(name: str) -> bool:
    """Whether a name is a UUID as it is written here. Folders of reports have such names: others
    in the same place are left alone.
    """
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def size_of(folder: Path) -> int:
    """How many bytes the whole files in a folder have. It may be gone: then none."""
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder) if not is_part(Path(entry)))
    except FileNotFoundError:
        return 0


def remove(folder: Path) -> None:
    """Removes a folder with all it holds, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        # A worker may still write in it: that worker removes it in turn, once it notices that its
        # lease is gone.
        logger.warning("%s could not be removed yet", folder)


def sync(*together: Path) -> None:
    """Makes sure that files of one folder, their names and that of the folder survive a power
    cut.
    """
    folder = together[0].parent
    for path_to_sync in (*together, folder, folder.parent):
        descriptor = os.open(path_to_sync, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
