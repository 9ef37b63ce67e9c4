"""The clock of a machine that is a minute ahead. Python imports this at its start where PYTHONPATH
names the folder.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

AHEAD_SECONDS = 60.0


def time_ahead(real: Callable[[], float] = time.time) -> float:
    return real() + AHEAD_SECONDS


def now_ahead(real: Callable[[], datetime] = timezone.now) -> datetime:
    return real() + timedelta(seconds=AHEAD_SECONDS)


time.time = time_ahead
timezone.now = now_ahead
