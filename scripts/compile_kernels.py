"""Compiles the kernels of the aggregation, for every later process to load, and shows how many of
them are there. Where all are compiled already, it takes a second or two.
"""

import importlib
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

from install import PROJECT_FOLDER, Progress

AGGREGATION = PROJECT_FOLDER / "bmat" / "aggregation"


class Counter(logging.Handler):
    """Shows how many kernels are there, of `total`: the aggregation's log has a line for each."""

    def __init__(self, total: int, show: Callable[[str], object]) -> None:
        super().__init__()
        self._total = total
        self._show = show
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith("kernel "):
            self._count += 1
            self._show(f"Compiling kernels: {self._count} of {self._total}")


def number_of_kernels(package: Path) -> int:
    """How many functions of the package's sources are kernels."""
    sources = (path for path in package.rglob("*.py") if "tests" not in path.parts)
    texts = (path.read_text(encoding="utf-8") for path in sources)
    return sum(len(re.findall(r"^@kernel$", text, re.MULTILINE)) for text in texts)


def compile_kernels(show: Callable[[str], object]) -> None:
    """Compile what is not in the cache. `show` gets a line for each kernel that is there."""
    logger = logging.getLogger("bmat.aggregation")
    counter = Counter(number_of_kernels(AGGREGATION), show)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(counter)
    # Each kernel names its types, so importing the engine compiles them all.
    importlib.import_module("bmat.aggregation.run")
    logger.removeHandler(counter)
    logger.setLevel(logging.NOTSET)


def main() -> None:
    sys.path.insert(0, str(PROJECT_FOLDER))
    progress = Progress()
    compile_kernels(progress.show)
    folder = importlib.import_module("bmat.aggregation.kernels.compile").KERNELS
    progress.say(f"The kernels are compiled, in {folder}")


if __name__ == "__main__":
    main()
