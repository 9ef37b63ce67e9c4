"""Options of Celery's connection to its broker. Nothing is lost with a message: the broker
may lose or repeat what it is given.
"""

from pathlib import Path
from typing import Any

from config import environment

DAY_SECONDS = 24 * 60 * 60


def transport(url: str) -> str | None:
    """The transport class where kombu's own for that URL does not do; None where it does."""
    return "bmat.taskapp.transports:FilesystemTransport" if url.startswith("filesystem:") else None


def transport_options(url: str, home: Path) -> dict[str, Any]:
    """The options that suit the broker at `url`. Creates the folders of a filesystem broker in
    `home`.
    """
    if url.startswith("filesystem:"):
        return filesystem_options(home / "broker")
    return {
        # A task that runs longer than this would be delivered again.
        "visibility_timeout": 30 * DAY_SECONDS,
        "health_check_interval": 10,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
        "socket_keepalive": True,
    }


def counters_url(url: str) -> str:
    """Where requests are counted, unless the environment says otherwise: in the Redis that is the
    broker; in each process where the broker is a folder.
    """
    return "memory://" if url.startswith("filesystem:") else url


def filesystem_options(folder: Path) -> dict[str, Any]:
    """Messages are files in one folder, which every process of the machine reads and writes."""
    messages, claimed, control = folder / "messages", folder / "claimed", folder / "control"
    environment.make_folders("BMAT_HOME", [messages, claimed, control])
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "processed_folder": str(claimed),
        "control_folder": str(control),
        # Seconds between two looks into the folder: the default of 1 s makes every report feel
        # slow.
        "polling_interval": 0.05,
    }
