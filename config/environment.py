"""Environment variables, typed, and what suits the database and the broker that they name. A value
that cannot be followed raises ImproperlyConfigured with the variable's name. `none` lifts a limit.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import environ  # type: ignore[import-untyped]  # the package has no types
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

Network = IPv4Network | IPv6Network

SIZE_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
DATABASE_SCHEMES = ("postgres://", "postgresql://", "sqlite:///")
BROKER_SCHEMES = ("redis://", "rediss://", "filesystem://")
BROKER_FOLDERS = ("messages", "claimed", "control")
COUNTER_SCHEMES = ("redis://", "rediss://", "memory://")
SWITCHES = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
WINDOW_SECONDS = {"s": 1, "min": 60, "hour": 3600, "day": 86400}
UNLIMITED = "none"
# A century: dates end with the year 9999.
MOST_DAYS = 36_500
KEY_LENGTH = 32
LEASE_SECONDS = 10
# Of a lease, how long SQLite waits for its lock: less than half, so that a second try is possible.
LOCK_SHARE_OF_LEASE = 0.4
SQLITE_OPTIONS = {
    # A writer asks for the lock when its transaction begins: a later upgrade could not wait for
    # another writer.
    "transaction_mode": "IMMEDIATE",
    # WAL lets readers go on while somebody writes; FULL makes a commit survive a power cut.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}

# A server that has vanished from the network is noticed within seconds, not after the system's
# default of hours: leases are short.
POSTGRES_OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # A process that is frozen, or cut off, in the middle of a transaction keeps the locks of its
    # rows. The server takes them away before a lease runs out, so that nobody waits for long.
    "options": "-c idle_in_transaction_session_timeout=8s",
}
# Nothing is lost with a message: the broker may lose or repeat what it is given.
REDIS_OPTIONS = {
    # A task that runs longer than 30 days would be delivered again.
    "visibility_timeout": 30 * 24 * 60 * 60,
    "health_check_interval": 10,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
}


def text(name: str, default: str | None = None) -> str:
    """The variable's text. An empty one counts as unset; without a default, it has to be set."""
    value = str(env.str(name, default="")).strip() or default
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name}: it has no default here")
    return value


def names(name: str, default: list[str] | None = None) -> list[str]:
    """The variable's comma-separated names, at least one."""
    found = [
        part.strip() for part in text(name, ",".join(default or [])).split(",") if part.strip()
    ]
    if not found:
        raise ImproperlyConfigured(f"{name} must hold one or more names, separated by commas")
    return found


def whole_number(name: str, default: int, maximum: int | None = None) -> int:
    """The variable's integer of at least 1, and at most `maximum`."""
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,18}", value) or int(value) == 0:
        raise ImproperlyConfigured(f"{name} must be a whole number of 1 or more, not {value!r}")
    if maximum is not None and int(value) > maximum:
        raise ImproperlyConfigured(f"{name} must be at most {maximum}, not {value!r}")
    return int(value)


def number(name: str, default: float, minimum: float = 0, maximum: float | None = None) -> float:
    """The variable's number above 0, of at least `minimum` and at most `maximum`: `30`, `0.5`."""
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value, re.ASCII) or float(value) == 0:
        raise ImproperlyConfigured(
            f"{name} must be a number above 0 such as 30 or 0.5, not {value!r}"
        )
    if float(value) < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum:g}, not {value!r}")
    if maximum is not None and float(value) > maximum:
        raise ImproperlyConfigured(f"{name} must be at most {maximum:g}, not {value!r}")
    return float(value)


def size_bytes(name: str, default: str) -> int:
    """The variable's size in bytes: `1073741824`, `512MiB`, `1GiB`."""
    value = text(name, default)
    match = re.fullmatch(r"([0-9]{1,18}) *([KMGT]iB|B|)", value, re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise ImproperlyConfigured(
            f"{name} must be a size in bytes such as 1073741824, 512MiB or 1GiB, not {value!r}"
        )
    return int(match[1]) * SIZE_UNITS[match[2].upper()]


def limit(name: str, default: int | None = None) -> int | None:
    """The variable's whole number of 1 or more; None: there is no limit."""
    value = text(name, str(default or UNLIMITED))
    return None if is_none(value) else whole_number(name, default or 1)


def limit_bytes(name: str, default: str = UNLIMITED) -> int | None:
    """The variable's size in bytes; None: there is no limit."""
    value = text(name, default)
    return None if is_none(value) else size_bytes(name, value)


def rate(name: str, default: str = UNLIMITED) -> tuple[int, int] | None:
    """How many requests in how many seconds: `600/min`; None: there is no limit."""
    value = text(name, default)
    if is_none(value):
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,8})/(s|min|hour|day)", value, re.ASCII)
    if match is None:
        raise ImproperlyConfigured(
            f"{name} must be a rate such as 10/s, 600/min, 5000/hour or 50000/day, or none, "
            f"not {value!r}"
        )
    return int(match[1]), WINDOW_SECONDS[match[2]]


def is_none(value: str) -> bool:
    """Whether the text lifts the limit."""
    return value.lower() == UNLIMITED


def switch(name: str, default: bool) -> bool:
    """Whether the variable says `on`: also `true` and `1`, against `off`, `false` and `0`."""
    value = text(name, "on" if default else "off")
    if value.lower() not in SWITCHES:
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}")
    return SWITCHES[value.lower()]


def folder(name: str, default: Path) -> Path:
    """The variable's folder as an absolute path."""
    return Path(text(name, str(default))).expanduser().resolve()


def make_folders(folders: list[Path]) -> None:
    """Creates `folders`, which lie in BMAT_HOME."""
    for path in folders:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(
                f"BMAT_HOME must be a folder that this process may write in: {path}: "
                f"{error.strerror}"
            ) from error


def database(name: str, default: str | None = None) -> dict[str, Any]:
    """Django's description of the database whose URL the variable holds."""
    url = text(name, default)
    if not url.startswith(DATABASE_SCHEMES):
        raise ImproperlyConfigured(
            f"{name} must start with postgres:// or sqlite:///, "
            "for example postgres://user:password@host:5432/name"
        )
    description: dict[str, Any] = environ.Env.db_url_config(url)
    if url.startswith("sqlite:"):
        # A renewal that waits for another writer must find out before its lease has run out.
        timeout_seconds = LOCK_SHARE_OF_LEASE * number("BMAT_LEASE_SECONDS", LEASE_SECONDS)
        defaults = {**SQLITE_OPTIONS, "timeout": timeout_seconds}
        description["OPTIONS"] = {**defaults, **description.get("OPTIONS", {})}
    else:
        # A connection outlives its request; one that the server has closed meanwhile is replaced.
        description.setdefault("CONN_MAX_AGE", 60)
        description.setdefault("CONN_HEALTH_CHECKS", True)
        description["OPTIONS"] = {**POSTGRES_OPTIONS, **description.get("OPTIONS", {})}
    return description


def networks(name: str) -> list[Network]:
    """The variable's comma-separated networks: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`."""
    value = str(env.str(name, default=""))
    try:
        return [ip_network(part.strip()) for part in value.split(",") if part.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must hold networks such as 10.0.0.0/8, separated by commas: {error}"
        ) from error


def web_address(name: str) -> str:
    """The variable's `https://host:port`, without a last slash; empty where it is not set."""
    value = str(env.str(name, default="")).strip()
    if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ImproperlyConfigured(
            f"{name} must be an address such as https://bmat.example, not {value!r}"
        )
    return value.rstrip("/")


def key(name: str) -> str:
    """The variable's secret, of 32 characters or more; empty where it is not set."""
    value = str(env.str(name, default="")).strip()
    if value and len(value) < KEY_LENGTH:
        raise ImproperlyConfigured(
            f"{name} must have at least {KEY_LENGTH} characters. Make one: "
            'python -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return value


def broker(name: str, default: str | None = None) -> str:
    """The URL of Celery's broker."""
    url = text(name, default)
    if not url.startswith(BROKER_SCHEMES):
        raise ImproperlyConfigured(
            f"{name} must start with redis://, rediss:// or filesystem://, "
            "for example redis://host:6379/0"
        )
    return url


def broker_transport(url: str) -> str | None:
    """The transport class where kombu's own for that URL does not do; None where it does."""
    return "bmat.taskapp.transports:FilesystemTransport" if url.startswith("filesystem:") else None


def broker_options(url: str, home: Path) -> dict[str, Any]:
    """The options that suit the broker at `url`. Those of a filesystem broker are folders in
    `home`, which are made: every process of the machine reads and writes its messages there.
    """
    if not url.startswith("filesystem:"):
        return REDIS_OPTIONS
    messages, claimed, control = (home / "broker" / each for each in BROKER_FOLDERS)
    make_folders([messages, claimed, control])
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "processed_folder": str(claimed),
        "control_folder": str(control),
        # Seconds between two looks into the folder: the default of 1 s makes every report feel
        # slow.
        "polling_interval": 0.05,
    }


def counters_beside(broker_url: str) -> str:
    """Where requests are counted, unless the environment says otherwise: in the Redis that is the
    broker; in each process where the broker is a folder.
    """
    return "memory://" if broker_url.startswith("filesystem:") else broker_url


def counters(name: str, default: str) -> str:
    """The URL of what counts requests. One that web processes share is a Redis."""
    url = text(name, default)
    if not url.startswith(COUNTER_SCHEMES):
        raise ImproperlyConfigured(
            f"{name} must start with redis:// or rediss://, for example redis://host:6379/0, "
            "or be memory://"
        )
    return url
