"""The command line: `python -m bmat.aggregation IN... -o OUT`."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TextIO

from tqdm import tqdm

from bmat.aggregation.errors import AggregationError
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.progress import Progress
from bmat.aggregation.results import Summary
from bmat.aggregation.write.files import STDOUT_DESCRIPTOR, descriptor_of, is_stream

SIZE = re.compile(r"(\d+)\s*(|k|m|g|t)(i?b)?", re.IGNORECASE)
INTERRUPTED = 130
# So little takes plain Python less time than the compiler takes to load, whatever it holds.
MOST_SMALL_BYTES = 2**12
JIT_VARIABLE = "NUMBA_DISABLE_JIT"
BAR_FORMAT = "{l_bar}{bar}| {elapsed}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; without `arguments`, the one that the process was started with.

    Returns its exit code: 0, or 1 for an error whose text is on standard error, or 130 after
    Ctrl-C. Raises SystemExit(2) for options that are none.
    """
    wanted = parser().parse_args(arguments)
    try:
        options, limits = options_of(wanted), limits_of(wanted)
        if arguments is None and is_small(wanted.inputs):
            os.environ.setdefault(JIT_VARIABLE, "1")
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
    except AggregationError as error:
        return complain(f"{error.source}: {error}" if error.source else str(error))
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        complain("Interrupted: nothing was written.")
        return INTERRUPTED
    outputs = (wanted.output, wanted.rejects, wanted.summary)
    has_stdout = any(path and descriptor_of(path) == STDOUT_DESCRIPTOR for path in outputs)
    say(summary_line(summary, monotonic() - begin), sys.stderr if has_stdout else sys.stdout)
    return 0


def is_small(inputs: Sequence[Path]) -> bool:
    """Whether it takes less time to read all inputs in plain Python than to load the compiler."""
    if any(is_stream(path) for path in inputs):
        return False
    try:
        return sum(path.stat().st_size for path in inputs) <= MOST_SMALL_BYTES
    except OSError:
        return True


def complain(text: str) -> int:
    say(f"bmat: {text}", sys.stderr)
    return 1


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
    return (
        f"{summary.rows_read:,} rows read = {summary.rows_counted:,} counted"
        f" + {summary.rows_rejected:,} rejected; {summary.groups:,} totals of"
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
    return Options(
        song_column=wanted.song_column,
        date_column=wanted.date_column,
        plays_column=wanted.plays_column,
        delimiter=wanted.delimiter,
        encoding=wanted.encoding,
        strict=wanted.strict,
    )


def limits_of(wanted: argparse.Namespace) -> Limits:
    chosen = {
        "block_bytes": wanted.block_bytes,
        "threads": wanted.threads,
        "memory_budget_bytes": wanted.memory,
        "temp_folder": wanted.temp_folder,
    }
    return Limits(**{name: value for name, value in chosen.items() if value is not None})


def parser() -> argparse.ArgumentParser:
    """The options, each with its help."""
    made = argparse.ArgumentParser(
        prog="python -m bmat.aggregation",
        description="Exact daily totals per song out of play logs of any size.",
    )
    add = made.add_argument
    add(
        "inputs",
        metavar="IN",
        nargs="+",
        type=Path,
        help="a CSV of Song, Date, Number of Plays; - reads standard input",
    )
    add(
        "-o",
        "--output",
        required=True,
        type=Path,
        metavar="OUT",
        help="the totals, as CSV; - writes standard output",
    )
    add("--rejects", type=Path, metavar="FILE", help="a CSV of the records that were not counted")
    add("--summary", type=Path, metavar="FILE", help="counts, top songs, plays per day, as JSON")
    add("--song-column", default="Song", metavar="NAME", help="the song's column (%(default)s)")
    add("--date-column", default="Date", metavar="NAME", help="the date's column (%(default)s)")
    add("--plays-column", default="Number of Plays", metavar="NAME", help="the count's column")
    add("--delimiter", metavar="CHAR", help="between fields; read off the header if not given")
    add("--encoding", metavar="NAME", help="of the input; UTF-8 or by byte order mark if not given")
    add("--strict", action="store_true", help="fail at the first record that cannot be counted")
    add("--threads", type=int, metavar="N", help="how many to read with (one per core)")
    add("--memory", type=size_in_bytes, metavar="SIZE", help="the memory budget (1GiB)")
    add(
        "--block-bytes",
        type=size_in_bytes,
        metavar="SIZE",
        help="read in blocks of (as suits the file)",
    )
    add("--temp-folder", type=Path, metavar="DIR", help="for temporary files (beside OUT)")
    return made
