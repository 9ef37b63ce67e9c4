"""The broker of the embedded default: kombu's filesystem transport, with messages that appear and
disappear whole.

kombu's own lets a reader take a message that is still being written, which then ends the reader,
and moves it through the system's temporary folder, where another filesystem turns the move into a
copy that two readers can both make.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """A message is the file `<time>_<uuid>.<queue>.msg` in the folder that every process shares."""

    # The stubs of kombu's two base classes disagree about this method's arguments.
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        """Writes the message under a hidden name, and shows it when it is whole."""
        folder = Path(self.data_folder_out)
        name = f"{monotonic_ns():020}_{uuid.uuid4()}.{queue}.msg"
        hidden = folder / f".{name}"
        hidden.write_text(dumps(payload), encoding="utf-8")
        hidden.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Takes the oldest message of the queue. Raises Empty."""
        for waiting in self._waiting(queue):
            claimed = Path(self.processed_folder) / waiting.name
            try:
                waiting.rename(claimed)
            except FileNotFoundError:
                # Another process was faster.
                continue
            payload = loads(claimed.read_text(encoding="utf-8"))
            claimed.unlink()
            return payload
        raise Empty

    def _waiting(self, queue: str) -> Iterator[Path]:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if not name.startswith(".") and name.partition(".")[2] == f"{queue}.msg":
                yield folder / name


class Transport(filesystem.Transport):
    """Named by CELERY_BROKER_TRANSPORT."""

    Channel = Channel
