"""Limits on what one user may do, as environment variables write them. `none` lifts a limit."""

import re

from django.core.exceptions import ImproperlyConfigured

from config import environment

UNLIMITED = "none"
COUNTER_SCHEMES = ("redis://", "rediss://", "memory://")
# A century: dates end with the year 9999.
MOST_DAYS = 36_500
# What bmat.aggregation takes at a time.
MOST_INPUTS = 1000
WINDOW_SECONDS = {"s": 1, "min": 60, "hour": 3600, "day": 86400}


def most(name: str, default: int | None = None) -> int | None:
    """The variable's whole number of 1 or more; None: there is no limit."""
    value = environment.text(name, str(default or UNLIMITED))
    return None if is_none(value) else environment.whole_number(name, default or 1)


def most_bytes(name: str, default: str = UNLIMITED) -> int | None:
    """The variable's size in bytes; None: there is no limit."""
    value = environment.text(name, default)
    return None if is_none(value) else environment.size_bytes(name, value)


def rate(name: str, default: str = UNLIMITED) -> tuple[int, int] | None:
    """How many requests in how many seconds: `600/min`; None: there is no limit."""
    value = environment.text(name, default)
    if is_none(value):
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,8})/(s|min|hour|day)", value, re.ASCII)
    if match is None:
        raise ImproperlyConfigured(
            f"{name} must be a rate such as 10/s, 600/min, 5000/hour or 50000/day, or none, "
            f"not {value!r}"
        )
    return int(match[1]), WINDOW_SECONDS[match[2]]


def days(name: str, default: float) -> float:
    """The variable's number of days, a century at most."""
    value = environment.number(name, default)
    if value > MOST_DAYS:
        raise ImproperlyConfigured(f"{name} must be at most {MOST_DAYS} days, not {value:g}")
    return value


def inputs(name: str) -> int:
    """The variable's number of inputs of one report, as many at most as one run takes."""
    value = environment.whole_number(name, MOST_INPUTS)
    if value > MOST_INPUTS:
        raise ImproperlyConfigured(f"{name} must be at most {MOST_INPUTS}, not {value}")
    return value


def counters(name: str, default: str) -> str:
    """The URL of what counts requests. One that web processes share is a Redis."""
    url = environment.text(name, default)
    if not url.startswith(COUNTER_SCHEMES):
        raise ImproperlyConfigured(
            f"{name} must start with redis:// or rediss://, for example redis://host:6379/0, "
            "or be memory://"
        )
    return url


def is_none(value: str) -> bool:
    """Whether the text lifts the limit."""
    return value.lower() == UNLIMITED
