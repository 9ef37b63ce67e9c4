"""What `make run` does before it starts the service: compile the kernels, and bring the database up
to date. In one process, for Django's models load the kernels, too, and would compile them again.

It prints a line for each thing done, and `Compiling kernels: 7 of 16` while they are compiled.
"""

import importlib
import logging
import re
import sys
import time
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
            print(f"Compiling kernels: {self._count} of {self._total}", flush=True)


def number_of_kernels() -> int:
    """How many functions of the aggregation's sources are kernels."""
    sources = (path for path in AGGREGATION.rglob("*.py") if "tests" not in path.parts)
    return sum(len(re.findall(r"^@kernel\(", path.read_text(), re.MULTILINE)) for path in sources)


def compile_kernels() -> None:
    """Compile what is not in the cache, for every later process to load."""
    logger = logging.getLogger("bmat.aggregation")
    logger.setLevel(logging.DEBUG)
    counter = Counter(number_of_kernels())
    logger.addHandler(counter)
    # Importing it compiles.
    importlib.import_module("bmat.aggregation")
    logger.removeHandler(counter)
    logger.setLevel(logging.NOTSET)


def migrate() -> None:
    """Check the settings, and migrate the database. Exits, with a sentence, where they are wrong or
    the database cannot be used.
    """
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command
    from django.db import DatabaseError

    try:
        django.setup()
        call_command("migrate", verbosity=0, skip_checks=False)
    except (CommandError, ImproperlyConfigured) as error:
        sys.exit(str(error))
    except DatabaseError as error:
        sys.exit(f"The database cannot be used: {error}")


def show_access() -> None:
    """Say who may come, where that takes something to be done."""
    from django.core.management import call_command

    call_command("show_access")


def main() -> None:
    sys.path.insert(0, str(PROJECT_FOLDER))
    # Until Django configures it.
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO)
    handler.setFormatter(importlib.import_module("config.logs").IndentingFormatter())
    logging.getLogger().addHandler(handler)
    for title, step in (("Kernels", compile_kernels), ("Database", migrate)):
        started = time.monotonic()
        step()
        print(f"{title:<9} ready ({time.monotonic() - started:.1f} s)", flush=True)
    show_access()


if __name__ == "__main__":
    main()
