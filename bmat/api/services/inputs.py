"""The inputs of a report: files that have been received whole, on their way into its folder, and
the totals of an earlier report among them.

However a file comes in, by a form or otherwise, it is handed over as a `ReceivedInput`. Its name is
what its owner is shown; the file itself is named by `files.input_name`.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from bmat.aggregation import InputFile, Options
from bmat.api.models import Report
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.services import files
from bmat.api.services.leases import Lease

# What is shown in place of a name that is empty.
UNNAMED = "input.csv"


class BaseGone(Exception):
    """The report whose totals were to be an input has no output any more."""


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


def keep(pid: UUID, inputs: Sequence[ReceivedInput]) -> None:
    """Puts the inputs into the new folder of the report `pid`, in order, and makes sure that they
    survive a power cut. Raises OSError.
    """
    files.report_folder(pid).mkdir()
    paths = [files.path(files.input_name(pid, number)) for number in range(len(inputs))]
    for received, path in zip(inputs, paths, strict=True):
        received.put_at(path)
    files.sync(*paths)


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


def files_of(lease: Lease) -> list[InputFile]:
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
        InputFile(files.path(files.input_name(pid, number)), row["name"], options)
        for number, (row, options) in enumerate(zip(rows, own, strict=True))
    ]


def totals_of(base: Report) -> ReceivedInput:
    """The totals of a Done report, as an input. What becomes of that report later does not matter
    to it. Raises BaseGone, as `put_at` does.
    """
    output = files.path(base.output_file.name or "")
    try:
        size = output.stat().st_size
    except FileNotFoundError as error:
        raise BaseGone from error

    def put_at(path: Path) -> None:
        try:
            link_or_copy(output, path)
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
