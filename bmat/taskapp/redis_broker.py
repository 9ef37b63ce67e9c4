"""The broker of the full stack: kombu's Redis transport, whose workers do not go deaf, and which
makes a client once instead of several times for each message.

A worker asks for the next message once it has acknowledged the one before. kombu's own lets that
acknowledgement fail where Redis is silent for longer than a connection waits, logs it, and counts
the message as unfinished for ever: with a prefetch of one, the worker never asks again, though it
still answers to pings. https://github.com/celery/kombu/blob/main/kombu/transport/redis.py
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual


class QoS(redis.QoS):
    """Counts the messages that a worker has been given and not acknowledged."""

    def ack(self, delivery_tag: Any) -> None:
        """Acknowledges a message. One that Redis did not hear of stays there, and may come again:
        the report's row says that there is nothing to do.
        """
        try:
            super().ack(delivery_tag)
        finally:
            virtual.QoS.ack(self, delivery_tag)


class Channel(redis.Channel):
    """A channel with the `QoS` of this module, and one client for all commands that wait for their
    answer. To make one costs more than most commands do, and the connections are the pool's anyway.
    """

    QoS = QoS
    _kept_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        # The stubs do not know the base class's own.
        create: Any = super()._create_client  # type: ignore[misc]
        if asynchronous:
            return create(asynchronous=True)
        # After the loss of its connections, a channel makes another pool.
        if self._kept_client is None or self._kept_client.connection_pool is not self.pool:
            self._kept_client = create()
        return self._kept_client


class Transport(redis.Transport):
    """What URLs of Redis stand for once `use_for_redis_urls` was called."""

    Channel = Channel


def use_for_redis_urls() -> None:
    """Takes the place of kombu's own transport under its name, to which kombu ties what it does
    about TLS.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
