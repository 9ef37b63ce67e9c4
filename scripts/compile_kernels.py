"""Compiles the kernels of the aggregation, for every later process to load, and shows how many of
them are there. Where all are compiled already, it takes a second or two.
"""

import importlib
import logging
import re
import sys
from pathlib import Path

from install import PROJECT_FOLDER, Progress


class Counter(logging.Handler):
    """Shows how many kernels are there, of `total`: the aggregation's log has a line for each."""

    def __init__(self, total: int, progress: Progress) -> None:
        super().__init__()
        self._total = total
        self._progress = progress
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith("kernel "):
            self._count += 1
            self._progress.show(f"Kernel {self._count} of {self._total}")


def number_of_kernels(package: Path) -> int:
    """How many functions of the package's sources are kernels."""
    sources = (path for path in package.rglob("*.py") if "tests" not in path.parts)
    texts = (path.read_text(encoding="utf-8") for path in sources)
    return sum(len(re.findall(r"^@kernel\(", text, re.MULTILINE)) for text in texts)


def main() -> None:
    sys.path.insert(0, str(PROJECT_FOLDER))
    progress = Progress()
    total = number_of_kernels(PROJECT_FOLDER / "bmat" / "aggregation")
    logger = logging.getLogger("bmat.aggregation")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Counter(total, progress))
    # Each kernel names its types, so importing the engine compiles them all.
    importlib.import_module("bmat.aggregation")
    compiled = importlib.import_module("bmat.aggregation.compiled")
    progress.say(f"The {total} kernels are compiled, in {compiled.KERNELS}")


if __name__ == "__main__":
    main()
