"""What to do while the database is down: wait for it, but not for ever."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# What a database raises that is restarting, cannot be reached, or has dropped the connection.
AWAY = (OperationalError, InterfaceError)
ASK_AGAIN_SECONDS = 0.25


def retry_while_database_is_down(call: Callable[[], Result]) -> Result:
    """The result of `call`, which is repeated for as long as a lease lasts while the database is
    down; then its error comes out.

    Where only the answer got lost, `call` is repeated though it took effect: it has to see that by
    itself. Not for use inside a transaction.
    """
    deadline = time.monotonic() + settings.BMAT_LEASE_SECONDS
    while True:
        try:
            return call()
        except AWAY as error:
            connection.close()
            if time.monotonic() >= deadline:
                raise
            logger.warning("the database is away, and is asked again: %s", error)
        time.sleep(ASK_AGAIN_SECONDS)
