"""Where a report's files lie: in the folder <pid>, none of whose names comes from a user.

    <pid>/input.csv, input-2.csv, input-3.csv, ...
    <pid>/<lease token>/output.csv, rejects.csv, summary.json
    <pid>/<lease token>/totals.parquet, totals.jsonl, which are made of the output when wanted

Each attempt writes in a folder of its own, and the row says whose files count. So a worker that has
lost its lease can neither overwrite nor remove the files of the one that has it.

However an input comes in, by a form or otherwise, it is handed over as a `ReceivedInput`. The
totals of an earlier report are one, too.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from rest_framework.exceptions import ValidationError

from bmat.aggregation import InputFile, Options
from bmat.api.models import Report
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.services.leases import Lease
from bmat.results.files import JSON_LINES, OUTPUT, PARQUET, REJECTS, SUMMARY

logger = logging.getLogger(__name__)

__all__ = ["JSON_LINES", "OUTPUT", "PARQUET", "REJECTS", "SUMMARY"]

# What is shown in place of a name that is empty.
UNNAMED = "input.csv"
TOTALS_GONE = "The files of that report were removed."


class BaseGone(ValidationError):
    """The report whose totals were to be an input has no output any more."""

    def __init__(self) -> None:
        super().__init__({"base": [TOTALS_GONE]})


@dataclass(frozen=True)
class ReceivedInput:
    """A file that has been received whole, and lies on the filesystem of the reports.

    `put_at` gives it a path there, once and with all of its bytes: by a rename, or by a hard link
    where the file is to outlive a submission that is refused. It raises OSError. The caller syncs
    the file, and removes it where the submission comes to nothing.

    `fingerprint` stands for the bytes under an Idempotency-Key: their SHA-256, or an id that stands
    for nothing else. `options` are those that hold for this input alone.
    """

    name: str
    size: int
    put_at: Callable[[Path], None]
    fingerprint: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


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
    for each in (*together, folder, folder.parent):
        sync_one(each)


def sync_one(path: Path) -> None:
    """Makes sure that a file's bytes, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep_inputs(pid: UUID, inputs: Sequence[ReceivedInput]) -> None:
    """Puts the inputs into the new folder of the report `pid`, in order, and makes sure that they
    survive a power cut. Raises OSError.
    """
    report_folder(pid).mkdir()
    places = [path(input_name(pid, number)) for number in range(len(inputs))]
    for received, place in zip(inputs, places, strict=True):
        received.put_at(place)
    sync(*places)


def rows_of(inputs: Sequence[ReceivedInput]) -> list[dict[str, Any]]:
    """What a report's row says of its inputs, by names that are all different."""
    names = distinct(received.name[:INPUT_NAME_LENGTH] or UNNAMED for received in inputs)
    return [
        {"name": name, "bytes": received.size, "options": dict(received.options)}
        for name, received in zip(names, inputs, strict=True)
    ]


def distinct(names: Iterable[str]) -> list[str]:
    """The names, those that come again with a number.

    >>> distinct(["a.csv", "b.csv", "a.csv"])
    ['a.csv', 'b.csv', 'a (2).csv']
    """
    taken: dict[str, int] = {}
    shown: list[str] = []
    for name in names:
        (plain, ending), wanted = os.path.splitext(name), name
        while wanted in taken:
            taken[name] += 1
            wanted = f"{plain} ({taken[name]}){ending}"
        taken[wanted] = 1
        shown.append(wanted)
    return shown


def inputs_of(lease: Lease) -> list[InputFile]:
    """The inputs of a report as a run takes them: each with its name, and with options of its own
    where it has some. Of totals that others come on top of, no option of the report is true.
    """
    pid, rows = lease.pid, lease.inputs
    own = [
        Options.of({**lease.options, **row["options"]}) if row["options"] else None for row in rows
    ]
    if lease.base is not None:
        own[-1] = Options(preset="totals")
    return [
        InputFile(path(input_name(pid, number)), row["name"], options)
        for number, (row, options) in enumerate(zip(rows, own, strict=True))
    ]


def totals_of(base: Report) -> ReceivedInput:
    """The totals of a Done report, as an input. What becomes of that report later does not matter
    to it. Raises BaseGone, as `put_at` does.
    """
    output = path(base.output_file.name or "")
    try:
        size = output.stat().st_size
    except FileNotFoundError as error:
        raise BaseGone from error

    def put_at(place: Path) -> None:
        try:
            link_or_copy(output, place)
        except FileNotFoundError as error:
            raise BaseGone from error

    name = f"{base.input_name or base.pid} (totals)"
    return ReceivedInput(name, size, put_at, fingerprint=str(base.pid))


def link_or_copy(source: Path, target: Path) -> None:
    """Gives a file that never changes a second name, or its bytes, where the filesystem knows no
    hard links. Raises OSError.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
