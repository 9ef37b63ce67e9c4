"""A sheet of a workbook (Excel's .xlsx, .xlsb and .xls, OpenDocument's .ods) as a CSV: a line for
each of its rows.

The library that reads it holds a sheet whole, and more: a rectangle from its first cell to its
last. So it runs in a process of its own (`python -m bmat.aggregation.source.workbook`), which ends
where it takes more memory than it may, and can be ended at any time.
"""

import csv
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from bmat.aggregation.errors import failure, shown, shown_names
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.source.looks import IN_A_SPREADSHEET
from bmat.aggregation.source.origin import LocalFile
from bmat.aggregation.source.unpacking import Allowance
from bmat.aggregation.source.zipped import directory_of, member_chunks, members_of

SECONDS_BETWEEN_LOOKS = 0.05
# What the interpreter and the libraries take of the address space, beside the sheet.
BYTES_BESIDE_SHEET = 2**29
# A date in a cell is a day, whatever it looks like there: it is written as the dates beside it are
# that are text.
DATES = {
    "dmy": "{0.day:02}/{0.month:02}/{0.year:04}",
    "mdy": "{0.month:02}/{0.day:02}/{0.year:04}",
    "ymd": "{0.year:04}/{0.month:02}/{0.day:02}",
    "month": "{0.year:04}-{0.month:02}",
}
WORKBOOK = "workbook"
# https://learn.microsoft.com/en-us/openspecs/office_file_formats/ms-offcrypto
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
FOLDER = Path(__file__).parents[3]


@dataclass
class Sheet(LocalFile):
    """A sheet as a file. In `broken_lines` are the lines, from 1, that go on with the row of the
    line before: so that a line stands for a row. In `unread` are the other sheets that a person
    sees, where nobody has said which one is meant.
    """

    broken_lines: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()


def sheet_options(options: Options) -> Options:
    """The options, for the CSV of a sheet. Raises AggregationError `invalid_option` for those of
    other texts. What an inspection says of a sheet may be given.
    """
    for name, own in (("delimiter", ","), ("quoting", "csv"), ("encoding", "utf-8")):
        value = getattr(options, name)
        if value not in (None, own):
            advice = "a workbook has no such thing"
            raise failure("invalid_option", option=name, value=shown(value), advice=advice)
    return replace(options, delimiter=",", quoting="csv")


def converted(
    source: Path,
    path: Path,
    target: Path,
    options: Options,
    date_format: str,
    limits: Limits,
    check: Callable[[], None],
) -> Sheet:
    """Writes a sheet of the workbook at `path` to `target`, its days in `date_format`. `check` is
    called all the time, and may raise. Raises AggregationError `decompression_limit`,
    `damaged_archive`, `not_text`, or `invalid_option` for a sheet that is not there.
    """
    check_members(source, path, limits, check)
    memory_bytes = limits.memory_budget_bytes + BYTES_BESIDE_SHEET
    arguments = [str(memory_bytes), str(path), str(target), date_format]
    if options.sheet is not None:
        arguments.append(options.sheet)
    said = answer_of(arguments, check)
    if said is None:
        most = f"may be held in {limits.memory_budget_bytes:,} bytes of memory"
        raise failure("decompression_limit", source, archive=WORKBOOK, most=most)
    if "sheets" in said:
        advice = f"the workbook has the sheets {shown_names(said['sheets'])}"
        value = shown(str(options.sheet))
        raise failure("invalid_option", source, option="sheet", value=value, advice=advice)
    if "fault" in said:
        looks_like = "a workbook that cannot be read, or another document of an office program"
        advice = f"{IN_A_SPREADSHEET}: {said['fault']}"
        if is_locked(path):
            looks_like, advice = "a workbook with a password", IN_A_SPREADSHEET
        raise failure("not_text", source, looks_like=looks_like, advice=advice)
    return Sheet(
        source, target, broken_lines=tuple(said["broken_lines"]), unread=tuple(said["unread"])
    )


def is_locked(path: Path) -> bool:
    """Whether the workbook is in an encrypted package, as those with a password are."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return data.find(ENCRYPTED) >= 0


def check_members(source: Path, path: Path, limits: Limits, check: Callable[[], None]) -> None:
    """Unpack a workbook that is an archive, and keep nothing: so it is known how large it is."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return
    allowance = Allowance.of(source, WORKBOOK, limits)
    for member in members_of(directory_of(path, allowance), allowance):
        for _ in member_chunks(path, member, allowance, is_whole=True):
            check()


def answer_of(arguments: list[str], check: Callable[[], None]) -> dict[str, Any] | None:
    """What the process says that reads the sheet; None where it had too little memory."""
    command = [sys.executable, "-m", "bmat.aggregation.source.workbook", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(FOLDER), "RUST_BACKTRACE": "0"}
    with TemporaryFile() as answer:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
        )
        try:
            while child.poll() is None:
                check()
                with suppress(subprocess.TimeoutExpired):
                    child.wait(SECONDS_BETWEEN_LOOKS)
        finally:
            child.kill()
            child.wait()
        answer.seek(0)
        said: dict[str, Any] | None = json.loads(answer.read()) if child.returncode == 0 else None
    return said


def main(arguments: Sequence[str]) -> None:
    """Reads a sheet, and says what came of it in JSON: `arguments` are the bytes of address space
    that this process may take, the workbook, the file to write, how dates are written, and the
    sheet's name, if it is not the first one.
    """
    memory, path, target, date_format, *sheet = arguments
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    print(json.dumps(convert(Path(path), Path(target), date_format, next(iter(sheet), None))))


def convert(path: Path, target: Path, date_format: str, sheet: str | None) -> dict[str, Any]:
    """Writes a sheet to `target`: see `Sheet`. Says `broken_lines` and `unread`; or `sheets`, all
    that there are, where this one is none of them; or `fault`, why it cannot be read.
    """
    # Nobody else needs it: this process reads workbooks, the others do not.
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(path) as workbook:
            if sheet is not None and sheet not in workbook.sheet_names:
                return {"sheets": workbook.sheet_names}
            names = likely_sheets(workbook) if sheet is None else [sheet]
            read = next((one for one in map(workbook.get_sheet_by_name, names) if one.height), None)
            rows = iter(()) if read is None else read.iter_rows()
            broken_lines = write_rows(rows, target, date_format)
            unread = [name for name in names if read is not None and name != read.name]
            return {"broken_lines": broken_lines, "unread": unread}
    except CalamineError as error:
        return {"fault": str(error)}


def likely_sheets(workbook: Any) -> list[str]:
    """The sheets that may be meant where none is named: those that a person sees, and no charts."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    tables = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    visible = [one for one in tables if one.visible == SheetVisibleEnum.Visible]
    return [one.name for one in visible or tables]


def write_rows(rows: Iterator[list[Any]], target: Path, date_format: str) -> list[int]:
    """Writes rows as lines of a CSV. Returns the lines that belong to the row before."""
    broken: list[int] = []
    line = 1
    with target.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in rows:
            texts = [text_of(value, date_format) for value in row]
            while texts and not texts[-1]:
                texts.pop()
            if texts:
                writer.writerow(texts)
            else:
                file.write("\n")
            breaks = sum(text.count("\n") for text in texts)
            broken += range(line + 1, line + 1 + breaks)
            line += 1 + breaks
    return broken


def text_of(value: Any, date_format: str) -> str:
    """A cell's value as a field: whole numbers without a point, days as `date_format` writes them,
    a time behind them where it is not midnight.
    """
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        if date_format in ("epoch", "epoch_ms"):
            seconds = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
                seconds=1
            )
            return str(seconds if date_format == "epoch" else 1000 * seconds)
        day = DATES[date_format].format(moment) if date_format in DATES else str(moment.date())
        return day if moment.time() == time() else f"{day} {moment.time().isoformat()}"
    return str(value)


if __name__ == "__main__":
    main(sys.argv[1:])
