"""What `bmat` may be told: its commands, with their arguments and options."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmat.client.engine import COMMANDS as ENGINE_COMMANDS
from bmat.client.reports import (
    FORMATS,
    GRAINS,
    KEY_COLUMNS,
    OPTIONS,
    ROW_ORDERS,
    STATES,
    Report,
)
from bmat.client.retries import DAY_SECONDS
from bmat.client.version import __version__

# How long a question waits for its answer, where a file would wait for a day.
QUESTION_SECONDS = 60.0
SHOWN_REPORTS, SHOWN_ROWS = 20, 100
DESCRIPTION = "Exact daily totals per song out of play logs: send files to a service, ask it, and "
DESCRIPTION += "fetch the results; or do without one."
ENGINE_HELP = {
    "aggregate": "the totals of files on this machine: python -m bmat.aggregation",
    "convert": "totals as Parquet or JSON lines: python -m bmat.results convert",
}
PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


@dataclass(frozen=True)
class MostRejects:
    """How much may be rejected: so many records, or so many percent of those that were read."""

    count: int | None = None
    percent: float | None = None

    @classmethod
    def of(cls, text: str) -> "MostRejects":
        """Raises ArgumentTypeError, the one error whose text argparse shows."""
        if found := PERCENT.fullmatch(text):
            return cls(percent=float(found[1]))
        if text.isdecimal():
            return cls(count=int(text))
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number like 100 nor one like 0.5%")

    def allow(self, report: Report) -> bool:
        rejected = report["rows_rejected"]
        if self.count is not None:
            return rejected <= self.count
        return 100 * rejected <= (self.percent or 0.0) * report["rows_read"]


def parser() -> argparse.ArgumentParser:
    """All commands, each with its help."""
    # A script that says --out for --output would break with the next option.
    made = argparse.ArgumentParser(prog="bmat", description=DESCRIPTION, allow_abbrev=False)
    made.add_argument("--version", action="version", version=f"bmat {__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ENGINE_COMMANDS:
        # Their arguments are the engine's: see cli.main.
        commands.add_parser(name, help=ENGINE_HELP[name], add_help=False)
    add_submit(commands)
    add_wait(commands)
    add_watch(commands)
    add_questions(commands)
    add_downloads(commands)
    add_changes(commands)
    add_accounts(commands)
    return made


def add(commands: Any, name: str, text: str, seconds: float) -> argparse.ArgumentParser:
    """A command with the options that all have; it gives up after so many seconds."""
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
    )
    made.add_argument("--url", help="the service's address (BMAT_URL, or http://127.0.0.1:8000)")
    made.add_argument(
        "--insecure-http", action="store_true", help="send the token without TLS, too"
    )
    made.add_argument("--json", action="store_true", help="print JSON, for programs")
    made.add_argument("--quiet", action="store_true", help="tell of nothing but errors")
    made.add_argument(
        "--give-up-after",
        type=float,
        default=seconds,
        metavar="SECONDS",
        help=f"without any progress, while the service is away ({seconds:g})",
    )
    return made


def add_options(made: argparse.ArgumentParser) -> None:
    """How a file is read."""
    for name, text in OPTIONS.items():
        option = f"--{name.replace('_', '-')}"
        if name == "strict":
            made.add_argument(option, action="store_true", help=text)
        else:
            kind = int if name == "header_line" else str
            made.add_argument(option, metavar="VALUE", type=kind, help=text)


def add_results(made: argparse.ArgumentParser) -> None:
    """What is done with a report once it is there."""
    made.add_argument("-o", "--output", metavar="OUT", help="the totals go here; - prints them")
    made.add_argument("--rejects", metavar="FILE", help="the records that were not counted go here")
    made.add_argument("--format", choices=FORMATS, default="csv", help="of the totals (csv)")
    made.add_argument("--excel-safe", action="store_true", help="no cell is a formula (CSV)")
    made.add_argument(
        "--max-rejects",
        type=MostRejects.of,
        metavar="N|N%",
        help="end with 4 where more records are rejected",
    )


def add_submit(commands: Any) -> None:
    made = add(commands, "submit", "send files, and have them aggregated", DAY_SECONDS)
    made.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a play log")
    made.add_argument("--separately", action="store_true", help="a report for each file")
    made.add_argument("--base", metavar="PID", help="the report that this one adds to")
    made.add_argument("--wait", action="store_true", help="until it is done; -o and such imply it")
    add_results(made)
    add_options(made)


def add_wait(commands: Any) -> None:
    made = add(commands, "wait", "wait until a report is done, and fetch its files", DAY_SECONDS)
    made.add_argument("pid", metavar="PID")
    add_results(made)


def add_watch(commands: Any) -> None:
    made = add(commands, "watch", "submit each file of a folder once it is whole", float("inf"))
    made.add_argument("folder", metavar="FOLDER", type=Path)
    made.add_argument("--pattern", default="*", metavar="GLOB", help="of the files' names (*)")
    made.add_argument(
        "--settle",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="a file is whole once it has not changed for so long (5)",
    )
    add_options(made)


def add_questions(commands: Any) -> None:
    made = add(commands, "status", "show a report", QUESTION_SECONDS)
    made.add_argument("pid", metavar="PID")
    made = add(commands, "list", "list reports, newest first", QUESTION_SECONDS)
    made.add_argument("--state", choices=STATES, action="append", default=[], help="of this state")
    made.add_argument("--name", default="", metavar="TEXT", help="with this in the file's name")
    made.add_argument(
        "--limit", type=int, default=SHOWN_REPORTS, metavar="N", help=f"at most ({SHOWN_REPORTS})"
    )
    made.add_argument("--all", action="store_true", help="however many there are")
    made = add(commands, "rows", "print some of the totals, as CSV", QUESTION_SECONDS)
    made.add_argument("pid", metavar="PID")
    for name in KEY_COLUMNS:
        made.add_argument(f"--{name}", metavar="TEXT", help=f"of this {name}")
    made.add_argument("--prefix", metavar="TEXT", help="of songs that begin like this")
    made.add_argument("--contains", metavar="TEXT", help="of songs that have this in them")
    made.add_argument("--from", dest="first", metavar="DAY", help="from this day on: YYYY-MM-DD")
    made.add_argument("--to", metavar="DAY", help="up to this day")
    made.add_argument("--grain", choices=GRAINS, help="sum up the days of each (day)")
    made.add_argument("--order", choices=ROW_ORDERS, help="(song)")
    made.add_argument(
        "--limit", type=int, default=SHOWN_ROWS, metavar="N", help=f"at most ({SHOWN_ROWS})"
    )
    made.add_argument("--all", action="store_true", help="however many there are")
    made = add(commands, "summary", "show what a result comes to", QUESTION_SECONDS)
    made.add_argument("pid", metavar="PID")
    made = add(commands, "compare", "print what has changed between two results", QUESTION_SECONDS)
    made.add_argument("pid", metavar="PID")
    made.add_argument("earlier", metavar="EARLIER", help="the pid of the earlier report")
    made.add_argument("--grain", choices=GRAINS, help="compare each of these (the whole results)")
    made = add(commands, "inspect", "show how files would be read", QUESTION_SECONDS)
    made.add_argument("files", metavar="FILE", nargs="+", type=Path)
    made.add_argument("--remote", action="store_true", help="ask the service, not the engine here")
    add_options(made)


def add_downloads(commands: Any) -> None:
    made = add(commands, "download", "fetch the totals of a report", DAY_SECONDS)
    made.add_argument("pid", metavar="PID")
    made.add_argument("-o", "--output", default="-", metavar="OUT", help="where to; - prints (-)")
    made.add_argument("--format", choices=FORMATS, default="csv", help="(csv)")
    made.add_argument("--excel-safe", action="store_true", help="no cell is a formula (CSV)")
    made = add(commands, "rejects", "fetch the records that were not counted", DAY_SECONDS)
    made.add_argument("pid", metavar="PID")
    made.add_argument("-o", "--output", default="-", metavar="OUT", help="where to; - prints (-)")
    made.add_argument("--excel-safe", action="store_true", help="no cell is a formula")


def add_changes(commands: Any) -> None:
    for name, text in {
        "cancel": "stop a report, and keep it",
        "retry": "start a failed or cancelled report again",
        "delete": "remove a report with its files",
    }.items():
        add(commands, name, text, QUESTION_SECONDS).add_argument("pid", metavar="PID")


def add_accounts(commands: Any) -> None:
    text = "ask for a name and a password, and keep a token for the service"
    made = add(commands, "login", text, QUESTION_SECONDS)
    made.add_argument("--name", help="of the user")
    add(commands, "logout", "revoke the token, and forget it", QUESTION_SECONDS)
