"""What `make run` is told by the environment, checked before anything is started."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
SWITCHES = {"1": True, "on": True, "true": True, "0": False, "off": False, "false": False}
# Python's own variable. The last of its filters that matches a warning decides.
WARNINGS = "PYTHONWARNINGS"
# Celery warns whoever starts it as root. At home, that is the person's own choice.
NO_WARNING_ABOUT_ROOT = "ignore:You're running the worker with superuser privileges"


class SettingError(Exception):
    """An environment variable that cannot be followed; the text names it and says what to do."""


@dataclass(frozen=True)
class RunSettings:
    """Where `make run` listens and where it keeps its files."""

    host: str
    port: int
    flower_port: int
    home: Path
    flower_user: str
    flower_password: str
    verbose: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "RunSettings":
        """Read the settings; raises `SettingError` for one that cannot be followed."""
        user = environment.get("CELERY_FLOWER_USER") or "user"
        password = environment.get("CELERY_FLOWER_PASSWORD") or "flower"
        if "," in user + password:
            raise SettingError(
                "CELERY_FLOWER_USER and CELERY_FLOWER_PASSWORD must hold no comma: "
                "Flower would read it as a second login"
            )
        return cls(
            host=environment.get("HOST") or "127.0.0.1",
            port=_port("PORT", environment.get("PORT") or "8000"),
            flower_port=_port("FLOWER_PORT", environment.get("FLOWER_PORT") or "5555"),
            home=(
                PROJECT_FOLDER / Path(environment.get("BMAT_HOME") or "var").expanduser()
            ).resolve(),
            flower_user=user,
            flower_password=password,
            verbose=_switch("VERBOSE", environment.get("VERBOSE") or "off"),
        )

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def web_url(self) -> str:
        return f"http://{_reachable(self.host)}:{self.port}"

    @property
    def flower_url(self) -> str:
        return f"http://{_reachable(self.host)}:{self.flower_port}"

    def child_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment of the started processes. Flower finds its password there, where `ps`
        does not show it.
        """
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            **environment,
            "BMAT_HOME": str(self.home),
            "HOST": self.host,
            "PORT": str(self.port),
            "FLOWER_PORT": str(self.flower_port),
            "FLOWER_BASIC_AUTH": f"{self.flower_user}:{self.flower_password}",
            "PYTHONUNBUFFERED": "1",
            WARNINGS: ",".join(filter(None, [NO_WARNING_ABOUT_ROOT, environment.get(WARNINGS)])),
        }


def require_free_port(variable: str, host: str, port: int) -> None:
    """Raise `SettingError`, with the environment `variable` to change, where `port` is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # The servers set it too: without it, a port that was in use a minute ago would still be
        # called taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(
                f"{host}:{port} cannot be used ({error.strerror}). "
                f"Stop what uses it, or choose another port: {variable}={port + 1} make run"
            ) from error


def _port(variable: str, text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise SettingError(f"{variable} must be a port number from 1 to 65535, not {text!r}")


def _switch(variable: str, text: str) -> bool:
    if text.lower() not in SWITCHES:
        raise SettingError(f"{variable} must be 1 or 0, not {text!r}")
    return SWITCHES[text.lower()]


def _reachable(host: str) -> str:
    """The name under which this machine reaches a server that listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{reachable}]" if ":" in reachable else reachable
