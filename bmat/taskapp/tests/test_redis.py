"""A worker whose broker did not answer an acknowledgement still asks for the next message."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
from kombu import Connection
from redis.exceptions import TimeoutError

from bmat.taskapp import transports


class SilentQoS(transports.RedisQoS):
    """That of a worker which takes one message at a time, and has it; its Redis is silent."""

    def __init__(self):
        super().__init__(SimpleNamespace(do_restore=False), prefetch_count=1)
        self._delivered = OrderedDict(tag=SimpleNamespace())

    def _remove_from_indices(self, *_, **__):
        raise TimeoutError("Timeout reading from socket")


def test_it_takes_no_second_message_before_the_first_is_acknowledged():
    assert not SilentQoS().can_consume()


def test_it_takes_the_next_message_after_an_acknowledgement_that_redis_did_not_answer():
    qos = SilentQoS()
    with pytest.raises(TimeoutError):
        qos.ack("tag")
    assert qos.can_consume()


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_it_stands_behind_every_url_of_redis(scheme):
    transport = Connection(f"{scheme}://host:7/3").transport
    assert isinstance(transport, transports.RedisTransport)
    assert transport.Channel.QoS is transports.RedisQoS
