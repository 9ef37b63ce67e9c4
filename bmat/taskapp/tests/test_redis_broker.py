"""A worker whose broker did not hear an acknowledgement still asks for the next message."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
from kombu import Connection
from redis.exceptions import TimeoutError

from bmat.taskapp import redis_broker


class SilentQoS(redis_broker.QoS):
    """That of a worker which takes one message at a time, and has it; its Redis is silent."""

    def __init__(self):
        super().__init__(SimpleNamespace(do_restore=False), prefetch_count=1)
        self._delivered = OrderedDict(tag=SimpleNamespace())

    def _remove_from_indices(self, *_, **__):
        raise TimeoutError("Timeout reading from socket")


def test_it_takes_no_second_message_before_the_first_is_acknowledged():
    assert not SilentQoS().can_consume()


def test_it_takes_the_next_message_after_an_acknowledgement_that_was_not_heard():
    qos = SilentQoS()
    with pytest.raises(TimeoutError):
        qos.ack("tag")
    assert qos.can_consume()


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_it_stands_behind_every_url_of_redis(scheme):
    transport = Connection(f"{scheme}://host:7/3").transport
    assert isinstance(transport, redis_broker.Transport)
    assert transport.Channel.QoS is redis_broker.QoS
