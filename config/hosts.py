"""Which host names a service that listens on HOST answers to, and which sites it trusts.

A page of any website can have its own name resolve to this machine (DNS rebinding), and a browser
then lets it read and write here as if it were this service's page. Such a request carries that name
as `Host`: so nothing is answered but names that are known.
"""

import ipaddress
import re
import socket

from django.core.exceptions import ImproperlyConfigured

from config import environment

ORIGIN = re.compile(r"https?://(\*\.)?([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def listening_host() -> str:
    """HOST, the address or name that the web server listens on; 127.0.0.1 where it is not set."""
    return environment.text("HOST", "127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether a server that listens on `host` is reached from this machine alone. A name other than
    localhost counts as reached from others: where it leads may change.
    """
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def is_wildcard(host: str) -> bool:
    """Whether `host` stands for every address of the machine: 0.0.0.0 or ::."""
    address = _address(host)
    return address is not None and address.is_unspecified


def allowed(host: str) -> list[str]:
    """The names that a service answers to that listens on `host`, as Django's ALLOWED_HOSTS has
    them: those of the loopback, `host` itself or, where that is a wildcard, what this machine is
    called; and those that DJANGO_ALLOWED_HOSTS adds.
    """
    own = own_names() if is_wildcard(host) else [host]
    added = environment.names("DJANGO_ALLOWED_HOSTS", LOOPBACK)
    return list(dict.fromkeys([*LOOPBACK, *map(written, own), *added]))


def trusted_origins() -> list[str]:
    """The sites, beside its own names, whose pages may change something here: what
    DJANGO_CSRF_TRUSTED_ORIGINS names, and nobody by default.
    """
    variable = "DJANGO_CSRF_TRUSTED_ORIGINS"
    if not environment.env.str("DJANGO_CSRF_TRUSTED_ORIGINS", default="").strip():
        return []
    origins = environment.names(variable)
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ImproperlyConfigured(
                f"{variable} must hold sites such as https://pages.example or "
                f"https://*.example, separated by commas, not {origin!r}"
            )
    return origins


def own_names() -> list[str]:
    """This machine's name, as it is and as its network may know it (`name.local`), and the
    addresses of its interfaces.
    """
    # Imported here: only a service that listens on all of them needs to know.
    import psutil  # type: ignore[import-untyped]  # the package has no types

    name = socket.gethostname().lower()
    names = [name, f"{name}.local"] if "." not in name else [name]
    interfaces = psutil.net_if_addrs().values()
    addresses = [each.address.partition("%")[0] for found in interfaces for each in found]
    return [*names, *(address for address in addresses if _address(address) is not None)]


def written(host: str) -> str:
    """A name or address as a `Host` header has it: an IPv6 address in brackets."""
    address = _address(host)
    return host if address is None or address.version == 4 else f"[{address}]"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `host` is; None where it is a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
