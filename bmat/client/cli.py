"""The command `bmat`, and `python -m bmat.client`."""

import argparse
import os
import sys
from collections.abc import Sequence

from bmat.client import engine
from bmat.client.errors import FAILED, INTERRUPTED, ClientError
from bmat.client.progress import Display
from bmat.client.retries import RetryPolicy


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; without `arguments`, the one that the process was started with.

    Returns its exit code, of those of errors.py; raises SystemExit(2) for arguments that are none.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    display = Display()
    try:
        if given and given[0] in engine.COMMANDS:
            return engine.run(given[0], given[1:])
        # Commands of the engine do without all that talks to a service.
        from bmat.client.arguments import parser

        told = parser().parse_args(given)
        display = Display(told.quiet, told.json)
        return run(told, display)
    except BrokenPipeError:
        # Nobody reads any more. The interpreter flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (ClientError, OSError) as error:
        return display.tell(error)
    except KeyboardInterrupt:
        return INTERRUPTED


def run(told: argparse.Namespace, display: Display) -> int:
    """Do what was told; its exit code. Raises ClientError, OSError and KeyboardInterrupt."""
    from bmat.client.client import Client
    from bmat.client.commands import Command
    from bmat.client.settings import load_settings

    settings = load_settings(told.url, told.insecure_http)
    with Client(
        settings.url,
        settings.token,
        insecure_http=settings.insecure_http,
        policy=RetryPolicy(told.give_up_after),
        on_wait=display.on_wait,
    ) as client:
        code: int = getattr(Command(told, client, display), told.command)()
        return code
