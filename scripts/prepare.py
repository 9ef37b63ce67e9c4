"""What `make run` does before it starts the service: compile the kernels, and bring the database up
to date. In one process, for Django's models load the kernels, too, and would compile them again.

It prints a line for each thing done, and `Compiling kernels: 7 of 16` while they are compiled.
"""

import functools
import importlib
import logging
import sys
import time

from compile_kernels import compile_kernels
from install import PROJECT_FOLDER


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
    show = functools.partial(print, flush=True)
    for title, step in (("Kernels", lambda: compile_kernels(show)), ("Database", migrate)):
        started = time.monotonic()
        step()
        show(f"{title:<9} ready ({time.monotonic() - started:.1f} s)")
    show_access()


if __name__ == "__main__":
    main()
