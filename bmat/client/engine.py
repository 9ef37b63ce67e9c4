"""The engine on this machine, where it is installed beside the client: nothing of it is imported
before it is asked for, and the client does without.
"""

import dataclasses
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bmat.client.errors import UsageError
from bmat.client.reports import Inspection

ENGINE, CONVERTER = "bmat.aggregation", "bmat.results"
# By the command, the module that it runs, and the arguments in front of those that are given.
COMMANDS: dict[str, tuple[str, list[str]]] = {
    "aggregate": (ENGINE, []),
    "convert": (CONVERTER, ["convert"]),
}
MISSING = (
    "bmat {command} works on this machine itself, with the engine, which is not installed here. "
    "Run it where the whole of bmat is (its README has how to install it), or send the file to a "
    "service: bmat submit."
)
# A preview reads so little that plain Python is faster than loading the compiler.
WITHOUT_COMPILER = "NUMBA_DISABLE_JIT"


def is_here(module: str = ENGINE) -> bool:
    return find_spec(module) is not None


def run(command: str, arguments: Sequence[str]) -> int:
    """Run a command of the engine, as `python -m` would; its exit code. Raises UsageError where the
    engine is not here.
    """
    module, first = COMMANDS[command]
    if not is_here(module):
        raise UsageError(MISSING.format(command=command))
    sys.argv = [module, *first, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def inspected(path: Path, options: Mapping[str, Any]) -> Inspection:
    """How the engine would read the file, as the API shows it. Raises OSError."""
    os.environ.setdefault(WITHOUT_COMPILER, "1")
    engine = import_module(ENGINE)
    try:
        found = dataclasses.asdict(engine.inspect(path, engine.Options.of(options)))
    except engine.AggregationError as error:
        if error.option is not None:
            raise UsageError(str(error)) from error
        told = {"code": error.code, "message": error.message}
        return {**EMPTY, "error": told}  # type: ignore[typeddict-item]  # of two strings
    for record in found["records"]:
        record["date"] = None if record["date"] is None else str(record["date"])
    inspection: Inspection = {**found, "error": None}  # type: ignore[typeddict-item]  # its fields
    return inspection


EMPTY: Inspection = {
    "encoding": None,
    "delimiter": None,
    "line_end": None,
    "header_line": None,
    "preset": None,
    "columns": [],
    "records": [],
    "is_cut": False,
    "error": None,
}
