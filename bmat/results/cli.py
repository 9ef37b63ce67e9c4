"""The command line: `python -m bmat.results convert RESULT.csv OUT.parquet`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bmat.results.convert import write_json_lines, write_parquet
from bmat.results.errors import ResultsError

WRITERS = {".parquet": write_parquet, ".jsonl": write_json_lines}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns its exit code: 0, or 1 for an error whose text is on standard
    error. Raises SystemExit(2) for options that are none.
    """
    wanted = parser().parse_args(arguments)
    part = wanted.target.with_name(f".{wanted.target.name}.part")
    try:
        WRITERS[wanted.target.suffix](wanted.source, part)
        part.replace(wanted.target)
    except (OSError, ResultsError) as error:
        print(f"bmat: {error}", file=sys.stderr)
        return 1
    finally:
        part.unlink(missing_ok=True)
    return 0


def target_path(text: str) -> Path:
    """A path whose ending names a format. Raises ArgumentTypeError."""
    path = Path(text)
    if path.suffix not in WRITERS:
        raise argparse.ArgumentTypeError(f"{text!r} does not end with {' or '.join(WRITERS)}")
    return path


def parser() -> argparse.ArgumentParser:
    """The command line, with its help."""
    made = argparse.ArgumentParser(prog="python -m bmat.results", description=__doc__)
    convert = made.add_subparsers(required=True, metavar="convert").add_parser(
        "convert", help="write the totals in another format"
    )
    convert.add_argument(
        "source", metavar="RESULT.csv", type=Path, help="totals as bmat wrote them"
    )
    convert.add_argument("target", metavar="OUT", type=target_path, help="OUT.parquet or OUT.jsonl")
    return made
