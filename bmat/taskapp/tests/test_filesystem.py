"""The broker of the embedded default."""

import json
import subprocess
import sys
import threading
import time
from queue import Empty

import pytest
from kombu import Connection

from config.environment import broker_options, broker_transport


@pytest.fixture
def broker(home):
    options = broker_options("filesystem://localhost", home)
    url = "filesystem://localhost"
    with Connection(url, transport=broker_transport(url), transport_options=options) as connection:
        yield connection


def test_it_gives_back_what_it_was_given_in_order(broker):
    with broker.channel() as channel:
        for number in range(20):
            channel._put("plays", {"number": number})

        assert [channel._get("plays")["number"] for _ in range(20)] == list(range(20))


def test_it_is_empty_after_that(broker, left_over):
    with broker.channel() as channel:
        channel._put("plays", {})
        channel._get("plays")

        with pytest.raises(Empty):
            channel._get("plays")

    assert not any(path.endswith(".msg") for path in left_over())


def test_it_keeps_queues_apart(broker):
    with broker.channel() as channel:
        channel._put("plays", {})

        with pytest.raises(Empty):
            channel._get("lay")
        assert channel._size("plays") == 1


def test_it_shows_no_message_that_is_still_being_written(broker, home):
    (home / "broker/messages/.00_id.plays.msg").write_text('{"half": ')

    with broker.channel() as channel, pytest.raises(Empty):
        channel._get("plays")


def test_it_gives_each_message_to_one_of_several_readers(broker):
    taken = []

    def take():
        with broker.clone() as connection, connection.channel() as channel:
            for message in iter(lambda: take_or_none(channel), None):
                taken.append(message["number"])

    with broker.channel() as channel:
        for number in range(200):
            channel._put("plays", {"number": number})
    readers = [threading.Thread(target=take) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert sorted(taken) == list(range(200))


def take_or_none(channel):
    try:
        return channel._get("plays")
    except Empty:
        return None


def test_it_leaves_a_message_to_the_reader_that_was_faster(broker, monkeypatch, home):
    names = ["00_gone.plays.msg"]
    monkeypatch.setattr("bmat.taskapp.transports.os.listdir", lambda _: names)

    with broker.channel() as channel, pytest.raises(Empty):
        channel._get("plays")


# Waits for the moment at which all bind, and binds a queue of its own to each of many exchanges.
BIND = """
import json, sys, time
from kombu import Connection
from config.environment import broker_transport
moment, name, options = float(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
url = "filesystem://localhost"
with Connection(url, transport=broker_transport(url), transport_options=options) as connection:
    with connection.channel() as channel:
        time.sleep(max(0, moment - time.time()))
        for number in range(300):
            channel._queue_bind(f"exchange{number}", name, "", name)
            channel.get_table(f"exchange{number}")
"""


def test_it_loses_no_binding_of_processes_that_bind_at_once(broker, home):
    options = broker_options("filesystem://localhost", home)
    arguments = [str(time.time() + 2), json.dumps(options, default=str)]
    processes = [
        subprocess.Popen([sys.executable, "-c", BIND, arguments[0], name, arguments[1]])
        for name in "abcd"
    ]

    assert [process.wait() for process in processes] == [0] * 4
    with broker.channel() as channel:
        for number in range(300):
            bound = {queue.queue for queue in channel.get_table(f"exchange{number}")}
            assert bound == set("abcd")
