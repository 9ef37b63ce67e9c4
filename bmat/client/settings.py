"""Which service is talked to, and as whom: arguments, then environment, then the settings file.

The file is `bmat/client.toml` in XDG_CONFIG_HOME (`~/.config`), for its owner alone:

    url = "https://bmat.example"
    token = "..."
"""

import ipaddress
import json
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bmat.client.errors import SettingsError
from bmat.client.files import write_whole

DEFAULT_URL = "http://127.0.0.1:8000"
FILE_KEYS = {"url": str, "token": str, "insecure_http": bool}
OTHERS = 0o077


@dataclass(frozen=True)
class Settings:
    """The service at `url`, for who has the token, if one is given. Raises SettingsError for an
    address that is none, and for a token that others could read on its way.
    """

    url: str = DEFAULT_URL
    token: str = field(default="", repr=False)
    insecure_http: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", plain_url(self.url))
        if not (self.token.isascii() and self.token.isprintable()) or " " in self.token:
            raise SettingsError("The token holds characters that no token has: copy it again.")
        if self.token:
            self.check_secrecy("A token")

    def check_secrecy(self, what: str) -> None:
        """Raises SettingsError where others could read a secret on its way."""
        if not self.insecure_http and is_readable_by_others(self.url):
            raise SettingsError(
                f"{what} is not sent to {self.url} without TLS: others could read it. Use https://"
                ", or say --insecure-http where the network is yours alone."
            )


def plain_url(url: str) -> str:
    """The address of a service without its last slash. Raises SettingsError."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_address = is_address and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isprintable():
        raise SettingsError(f"{url!r} is no address of a service: https://bmat.example is one.")
    if "@" in parts.netloc:
        # The text may hold a password: it is not repeated.
        raise SettingsError("The address holds a name or a password: use a token, by `bmat login`.")
    if parts.query or parts.fragment:
        raise SettingsError(f"{url!r} has more than an address of a service: cut it at ? and #.")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def is_readable_by_others(url: str) -> bool:
    """Whether what is sent there leaves this machine as it is."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def settings_path() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(configured) / "bmat" / "client.toml"


def load_settings(
    url: str | None = None,
    insecure_http: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings that hold. Raises SettingsError.

    A token of the file is for the file's service, and is sent to no other.
    """
    kept = read_file(settings_path())
    kept_url = plain_url(kept.get("url", DEFAULT_URL))
    chosen = plain_url(url or environment.get("BMAT_URL") or kept_url)
    token = environment.get("BMAT_TOKEN", "")
    if not token and chosen == kept_url:
        token = kept.get("token", "")
    return Settings(chosen, token, insecure_http or kept.get("insecure_http", False))


def read_file(path: Path) -> dict[str, Any]:
    """What the settings file says; nothing where there is none. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & OTHERS:
                raise SettingsError(
                    f"{path} has the mode {mode:o}: others can read or change it, and the token in "
                    f"it. Run: chmod 600 {path}"
                )
            kept = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no TOML: {error}") from error
    for name, value in kept.items():
        if name not in FILE_KEYS:
            raise SettingsError(f"{path}: there is no {name!r}; there are {', '.join(FILE_KEYS)}")
        if not isinstance(value, FILE_KEYS[name]):
            raise SettingsError(f"{path}: {name} is no {FILE_KEYS[name].__name__}")
    return kept


def write_file(settings: Settings) -> Path:
    """Keep the settings, for their owner alone; where they are now."""
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    # A JSON string is a string of TOML, too.
    lines = [f"url = {json.dumps(settings.url)}"]
    if settings.token:
        lines.append(f"token = {json.dumps(settings.token)}")
    if settings.insecure_http:
        lines.append("insecure_http = true")
    write_whole(path, "\n".join(lines) + "\n")
    return path
