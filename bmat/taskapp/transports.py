"""The brokers: two of kombu's transports, each with the fault mended that matters here.

`filesystem` is the embedded default. kombu's own lets a reader take a message that is still being
written, which then ends the reader, and moves it through the system's temporary folder, where
another filesystem turns the move into a copy that two readers can both make. And it makes the table
of an exchange before it locks it, so that others read an empty one, or two make it at once and one
binding is lost. Here messages and tables appear whole.

`redis` is that of the full stack. `kombu.transport.redis.QoS.ack` first removes the message from
Redis and then, where that raised nothing, from the messages that the worker has not finished
(kombu 5.7). Redis may be silent for longer than a connection waits. Celery logs that error and goes
on, but the message counts as unfinished for ever: a worker with a prefetch of one never asks for
the next message, though it still answers to pings. Here the worker goes on.
https://github.com/celery/kombu/blob/main/kombu/transport/redis.py
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem, redis, virtual
from kombu.utils.json import dumps, loads


class FilesystemChannel(filesystem.Channel):
    """A message is the file `<time>_<uuid>.<queue>.msg` in the folder that every process shares."""

    # The stubs of kombu's two base classes disagree about this method's arguments.
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        """Writes the message under a hidden name, and shows it when it is whole."""
        folder = Path(self.data_folder_out)
        name = f"{monotonic_ns():020}_{uuid.uuid4()}.{queue}.msg"
        hidden = folder / f".{name}"
        hidden.write_text(dumps(payload), encoding="utf-8")
        hidden.rename(folder / name)

    def _queue_bind(self, exchange: str, *binding: Any) -> None:
        """Binds a queue to an exchange, whose table is there before kombu looks for it."""
        # Raises ChannelError where the name of the exchange is none.
        if not self.get_table(exchange):
            folder = Path(self.control_folder)
            folder.mkdir(exist_ok=True)
            hidden = folder / f".{uuid.uuid4()}"
            hidden.write_text("[]", encoding="utf-8")
            with suppress(FileExistsError):
                (folder / f"{exchange}.exchange").hardlink_to(hidden)
            hidden.unlink()
        super()._queue_bind(exchange, *binding)

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
        """The messages of the queue, oldest first; none that is still hidden."""
        folder, ending = Path(self.data_folder_in), f"{queue}.msg"
        # Looked for many times a second: what belongs to other queues is not sorted.
        names = [name for name in os.listdir(folder) if name.endswith(ending)]
        for name in sorted(names):
            if name.partition(".")[2] == ending:
                yield folder / name


class FilesystemTransport(filesystem.Transport):
    """Named by CELERY_BROKER_TRANSPORT."""

    Channel = FilesystemChannel


class RedisQoS(redis.QoS):
    """Counts the messages that a worker has been given and not acknowledged."""

    def ack(self, delivery_tag: Any) -> None:
        """Acknowledges a message. One that Redis did not hear of stays there, and may come again:
        the report's row says that there is nothing to do.
        """
        try:
            super().ack(delivery_tag)
        finally:
            virtual.QoS.ack(self, delivery_tag)


class RedisChannel(redis.Channel):
    """A channel with the `RedisQoS`."""

    QoS = RedisQoS


class RedisTransport(redis.Transport):
    """What URLs of Redis stand for once `use_for_redis_urls` was called."""

    Channel = RedisChannel


def use_for_redis_urls() -> None:
    """Takes the place of kombu's own transport under its name, to which kombu ties what it does
    about TLS.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:RedisTransport"
