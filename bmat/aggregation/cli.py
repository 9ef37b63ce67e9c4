"""The command line: `python -m bmat.aggregation IN... -o OUT`."""

import argparse
import dataclasses
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from tqdm import tqdm

from bmat.aggregation.errors import REASON_ADVICE, AggregationError
from bmat.aggregation.options import OPTION_NAMES, Limits, Options
from bmat.aggregation.progress import Progress
from bmat.aggregation.results import Inspection, NoValidRows, Summary
from bmat.aggregation.write.files import STDOUT_DESCRIPTOR, descriptor_of, is_stream

SIZE = re.compile(r"(\d+)\s*(|k|m|g|t)(i?b)?", re.IGNORECASE)
FAILED, MISUSED, INTERRUPTED = 1, 2, 130
# What is wrong with the command, as against the files.
MISUSES = ("invalid_option", "unknown_encoding")
# So little takes plain Python less time than the compiler takes to load, whatever it holds.
MOST_SMALL_BYTES = 2**12
JIT_VARIABLE = "NUMBA_DISABLE_JIT"
BAR_FORMAT = "{l_bar}{bar}| {elapsed}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; without `arguments`, the one that the process was started with.

    Returns its exit code: 0; or, with a text on standard error, 1 for what is wrong with a file, 2
    for an option that cannot be followed; 130 after Ctrl-C. Raises SystemExit(2) for options that
    are none.
    """
    wanted = parse(arguments)
    try:
        options, limits = options_of(wanted), limits_of(wanted)
        if arguments is None and (wanted.inspect or is_small(wanted.inputs)):
            os.environ.setdefault(JIT_VARIABLE, "1")
        if wanted.inspect:
            show_inputs(wanted.inputs, options)
        else:
            aggregate_inputs(wanted, options, limits)
    except AggregationError as error:
        complain(f"{error.source}: {error}" if error.source else str(error))
        if isinstance(error, NoValidRows):
            for reason in error.summary.rejects_by_reason:
                complain(f"{reason}: {REASON_ADVICE[reason]}")
        return MISUSED if error.code in MISUSES else FAILED
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return FAILED
    except KeyboardInterrupt:
        complain("Interrupted: nothing was written.")
        return INTERRUPTED
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments. Raises SystemExit(2) for what is none of them."""
    made = parser()
    wanted = made.parse_args(arguments)
    if wanted.output is None and not wanted.inspect:
        made.error("the following arguments are required: -o/--output")
    return wanted


def aggregate_inputs(wanted: argparse.Namespace, options: Options, limits: Limits) -> None:
    """Write the totals, and say what was read."""
    # Loads the kernels: what is wrong with the options is said before.
    from bmat.aggregation import aggregate

    begin = monotonic()
    with progress_bar() as on_progress:
        summary = aggregate(
            wanted.inputs,
            wanted.output,
            rejects=wanted.rejects,
            options=options,
            limits=limits,
            on_progress=on_progress,
            summary_file=wanted.summary,
        )
    for warning in summary.warnings:
        complain(f"warning: {warning.message}")
    outputs = (wanted.output, wanted.rejects, wanted.summary)
    has_stdout = any(path and descriptor_of(path) == STDOUT_DESCRIPTOR for path in outputs)
    say(summary_line(summary, monotonic() - begin), sys.stderr if has_stdout else sys.stdout)


def show_inputs(inputs: Sequence[Path], options: Options) -> None:
    """Say how each input would be read."""
    from bmat.aggregation import inspect

    for path in inputs:
        say(f"{path}\n{described(inspect(path, options))}", sys.stdout)


def described(inspection: Inspection) -> str:
    """An inspection as a person reads it: a line for each record."""
    columns = ", ".join(
        f"{column.name} ({column.role})" if column.role else column.name
        for column in inspection.columns
    )
    header = f"line {inspection.header_line}" if inspection.header_line else "none"
    lines = [
        f"  preset     {inspection.preset}",
        f"  encoding   {inspection.encoding}",
        f"  delimiter  {inspection.delimiter!r}",
        f"  line ends  {inspection.line_end}",
        f"  header     {header}",
        f"  columns    {columns}",
    ]
    for record in inspection.records:
        if record.key is None:
            lines.append(f"  line {record.line}: {record.reason}: {', '.join(record.fields)}")
        else:
            key = ", ".join(map(repr, record.key.values()))
            lines.append(f"  line {record.line}: {key} on {record.date}: {record.plays}")
    return "\n".join(lines)


def is_small(inputs: Sequence[Path]) -> bool:
    """Whether it takes less time to read all inputs in plain Python than to load the compiler."""
    if any(is_stream(path) for path in inputs):
        return False
    try:
        return sum(path.stat().st_size for path in inputs) <= MOST_SMALL_BYTES
    except OSError:
        return True


def complain(text: str) -> None:
    say(f"bmat: {text}", sys.stderr)


def say(text: str, stream: TextIO | None) -> None:
    """Print a line for whoever still reads the stream: the result does not depend on that."""
    if stream is None:
        return
    try:
        print(text, file=stream, flush=True)
    except OSError:
        # The interpreter flushes once more when it ends, and would complain.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def summary_line(summary: Summary, seconds: float) -> str:
    """One line for a person: what was read, what came out."""
    left_out = f" + {summary.rows_left_out:,} left out" if summary.rows_left_out else ""
    return (
        f"{summary.rows_read:,} rows read = {summary.rows_counted:,} counted"
        f" + {summary.rows_rejected:,} rejected{left_out}; {summary.groups:,} totals of"
        f" {summary.plays_total:,} plays in {seconds:.2f} s"
    )


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error where that is a terminal; nothing elsewhere."""
    # None: shown on a terminal. A closed standard error is none.
    disable = True if sys.stderr is None else None
    with tqdm(total=100, disable=disable, leave=False, bar_format=BAR_FORMAT) as bar:

        def show(progress: Progress) -> None:
            bar.set_description(progress.stage, refresh=False)
            bar.update(100 * progress.fraction - bar.n)

        yield show


def size_in_bytes(text: str) -> int:
    """`512MiB`, `1GiB`, `800000`: a size in bytes; k, M, G, T are powers of 1,024. Raises
    ArgumentTypeError, the one error whose text argparse shows.
    """
    match = SIZE.fullmatch(text.strip())
    if match is None:
        message = f"{text!r} is no size: write it like 800000, 512MiB or 1GiB"
        raise argparse.ArgumentTypeError(message)
    kibi_power: int = " kmgt".index(match[2].lower() or " ")
    return int(match[1]) << 10 * kibi_power


def options_of(wanted: argparse.Namespace) -> Options:
    return Options(**{name: getattr(wanted, name) for name in OPTION_NAMES})


def limits_of(wanted: argparse.Namespace) -> Limits:
    """The limits that are given, and the usual ones else."""
    given = {one.name: getattr(wanted, one.name) for one in dataclasses.fields(Limits)}
    return Limits(**{name: value for name, value in given.items() if value is not None})


def parser() -> argparse.ArgumentParser:
    """The options, each with its help."""
    made = argparse.ArgumentParser(
        prog="python -m bmat.aggregation",
        description="Exact daily totals per song out of play logs of any size.",
        # A script that says --head for --header-line would break with the next option.
        allow_abbrev=False,
    )
    add = made.add_argument
    add(
        "inputs",
        metavar="IN",
        nargs="+",
        type=Path,
        help="a CSV of Song, Date, Number of Plays, packed or not, or a workbook; - reads stdin",
    )
    add(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="the totals, as CSV; - writes standard output",
    )
    add("--rejects", type=Path, metavar="FILE", help="a CSV of the records that were not counted")
    add("--summary", type=Path, metavar="FILE", help="counts, top songs, plays per day, as JSON")
    add(
        "--inspect",
        action="store_true",
        help="write nothing, but show how each IN would be read, by its first 64 KiB",
    )
    for option in dataclasses.fields(Options):
        if option.name in OPTION_NAMES:
            add_option(made, option)
    add("--threads", type=int, metavar="N", help="how many to read with (one per core)")
    add(
        "--memory",
        dest="memory_budget_bytes",
        type=size_in_bytes,
        metavar="SIZE",
        help="the memory budget (1GiB)",
    )
    add(
        "--block-bytes",
        type=size_in_bytes,
        metavar="SIZE",
        help="read in blocks of (as suits the file)",
    )
    add("--temp-folder", type=Path, metavar="DIR", help="for temporary files (beside OUT)")
    add(
        "--decompression-limit",
        dest="decompression_limit_bytes",
        type=size_in_bytes,
        metavar="SIZE",
        help="what is packed in an IN may become so large (256GiB)",
    )
    add(
        "--decompression-ratio",
        type=int,
        metavar="N",
        help="and so many times as large as the IN, from 64 MiB on (500)",
    )
    return made


def add_option(made: argparse.ArgumentParser, option: "dataclasses.Field[Any]") -> None:
    """The option of the command line for a field of Options."""
    name, text = f"--{option.name.replace('_', '-')}", option.metadata["help"]
    if option.type is bool:
        made.add_argument(name, action="store_true", help=text)
        return
    made.add_argument(
        name,
        type=int if option.type == int | None else str,
        metavar=option.metadata["metavar"],
        choices=option.metadata["choices"] or None,
        help=text,
    )
