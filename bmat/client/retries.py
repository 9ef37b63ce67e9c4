"""How often, and for how long, something is tried that may succeed later."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from bmat.client.errors import Temporary, Unreachable

DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class RetryPolicy:
    """Pauses double from the first to the longest one. `give_up_after_seconds` without any progress
    are enough; `inf` are never.
    """

    give_up_after_seconds: float = DAY_SECONDS
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 60.0


@dataclass(frozen=True)
class Wait:
    """A pause before the next attempt: why, how long, and for how much longer there will be any."""

    reason: str
    seconds: float
    gives_up_in_seconds: float


OnWait = Callable[[Wait], None]


def ignore(*told: object) -> None:
    """Tell nobody."""


class Retries:
    """The attempts at one thing."""

    def __init__(self, policy: RetryPolicy, on_wait: OnWait = ignore) -> None:
        self._policy = policy
        self._on_wait = on_wait
        self.progressed()

    def progressed(self) -> None:
        """Something has been achieved: pauses are short again, and the time begins anew."""
        self._since = time.monotonic()
        self._pause_seconds = self._policy.first_pause_seconds

    def wait(self, failure: Temporary) -> None:
        """Pause before the next attempt, as long as the service asks for at least. Raises
        Unreachable where the time is over.
        """
        left = self._policy.give_up_after_seconds - (time.monotonic() - self._since)
        if left <= 0:
            seconds = self._policy.give_up_after_seconds
            raise Unreachable(f"Gave up after {seconds:.0f} s: {failure.reason}") from failure
        # Clients that were cut off together do not come back together.
        pause = self._pause_seconds * random.uniform(0.5, 1.0)
        pause = min(max(pause, failure.retry_after_seconds), left)
        self._pause_seconds = min(2 * self._pause_seconds, self._policy.longest_pause_seconds)
        self._on_wait(Wait(failure.reason, pause, left))
        time.sleep(pause)
