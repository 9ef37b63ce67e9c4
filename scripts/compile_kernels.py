"""Compiles the kernels of the aggregation, for every later process to load, and prints how far it
is: `7 of 16`.
"""

import importlib
import logging
import re
import sys
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
AGGREGATION = PROJECT_FOLDER / "bmat" / "aggregation"


class Counter(logging.Handler):
    """Prints a line for each kernel that is there, of `total`."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith("kernel "):
            self._count += 1
            print(f"{self._count} of {self._total}", flush=True)


def number_of_kernels() -> int:
    """How many functions of the aggregation's sources are kernels."""
    sources = (path for path in AGGREGATION.rglob("*.py") if "tests" not in path.parts)
    return sum(len(re.findall(r"^@kernel\(", path.read_text(), re.MULTILINE)) for path in sources)


def main() -> None:
    sys.path.insert(0, str(PROJECT_FOLDER))
    logs = importlib.import_module("config.logs")
    to_stderr = logging.StreamHandler()
    to_stderr.setFormatter(logs.IndentingFormatter())
    to_stderr.setLevel(logging.INFO)
    logging.getLogger().addHandler(to_stderr)
    logger = logging.getLogger("bmat.aggregation")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Counter(number_of_kernels()))
    # Importing it compiles.
    importlib.import_module("bmat.aggregation.compile")


if __name__ == "__main__":
    main()
