"""Counting requests, in a Redis that all web processes share or in this process alone.

Nothing depends on the Redis: while it is away, requests go on uncounted.
"""

import logging
import math
import time
from functools import cache
from typing import Any

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from bmat.api.policies import Policy, Standing

logger = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 5.0
# Every request waits for it: better not counted than late.
IMPATIENT: dict[str, Any] = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": Retry(NoBackoff(), 0),
}


class Counters:
    """The counters at one URL. A window begins with the first request that is counted in it."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {} if url.startswith("memory:") else IMPATIENT
        storage = storage_from_string(url, wrap_exceptions=True, **options)
        assert isinstance(storage, Storage)
        self.limiter = FixedWindowRateLimiter(storage)
        self.away_until = 0.0

    def count(self, policy: Policy, who: str) -> Standing | None:
        """Counts one request of `who`, and says how it stands. None: nobody knows."""
        if time.monotonic() < self.away_until:
            return None
        window = RateLimitItemPerSecond(policy.quota, policy.window_seconds, "bmat-" + policy.name)
        try:
            within = self.limiter.hit(window, who)
            stats = self.limiter.get_window_stats(window, who)
        except StorageError as error:
            self.pause(error)
            return None
        if self.away_until:
            self.away_until = 0.0
            logger.warning("requests are counted again")
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        return Standing(policy, stats.remaining, seconds, exceeded=not within)

    def pause(self, error: StorageError) -> None:
        """Asks nothing for a while, so that not every request waits in vain. Logged once."""
        if not self.away_until:
            logger.warning("requests are not counted, for their counters are away: %s", error)
        self.away_until = time.monotonic() + ASK_AGAIN_SECONDS


@cache
def counters(url: str) -> Counters:
    """The counters at `url`; those of this process where it is `memory://`."""
    return Counters(url)
