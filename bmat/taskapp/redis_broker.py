"""The broker of the full stack: kombu's Redis transport, with a worker that goes on after an
acknowledgement that Redis did not answer.

`kombu.transport.redis.QoS.ack` first removes the message from Redis and then, where that raised
nothing, from the messages that the worker has not finished (kombu 5.7). Redis may be silent for
longer than a connection waits. Celery logs that error and goes on, but the message counts as
unfinished for ever: a worker with a prefetch of one never asks for the next message, though it
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
    """A channel with the `QoS` of this module."""

    QoS = QoS


class Transport(redis.Transport):
    """What URLs of Redis stand for once `use_for_redis_urls` was called."""

    Channel = Channel


def use_for_redis_urls() -> None:
    """Takes the place of kombu's own transport under its name, to which kombu ties what it does
    about TLS.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
