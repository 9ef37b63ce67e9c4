"""Where events may be sent to: public addresses, and those that a setting names."""

import socket
import threading
from ipaddress import ip_address, ip_network

import pytest

from bmat.api.outgoing.post import post
from bmat.api.outgoing.urls import Forbidden, is_allowed, resolve

FORBIDDEN = {
    "unspecified": "0.0.0.0",
    "this network": "0.1.2.3",
    "loopback": "127.0.0.1",
    "all of the loopback": "127.255.255.254",
    "private, class A": "10.0.0.1",
    "private, class B": "172.16.0.1",
    "private, class C": "192.168.1.1",
    "shared by a carrier": "100.64.0.1",
    "metadata of Alibaba": "100.100.100.200",
    "link": "169.254.0.1",
    "metadata of most clouds": "169.254.169.254",
    "host of Azure": "168.63.129.16",
    "protocols": "192.0.0.8",
    "anycast of 6to4": "192.88.99.1",
    "metadata of Oracle": "192.0.0.192",
    "documentation": "203.0.113.7",
    "benchmarks": "198.18.0.1",
    "multicast": "224.0.0.1",
    "global multicast": "232.1.1.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 unspecified": "::",
    "IPv6 loopback": "::1",
    "IPv6 unique local": "fd00::1",
    "metadata of AWS in IPv6": "fd00:ec2::254",
    "IPv6 link": "fe80::1",
    "IPv6 link with a zone": "fe80::1%eth0",
    "IPv6 site": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "IPv6 global multicast": "ff0e::1",
    "IPv6 documentation": "2001:db8::1",
    "more IPv6 documentation": "3fff::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped metadata": "::ffff:169.254.169.254",
    "compatible loopback": "::127.0.0.1",
    "6to4 of a private one": "2002:a00:1::",
    "6to4 of a public one": "2002:808:808::",
    "Teredo": "2001:0:808:808::1",
    "NAT64 of the loopback": "64:ff9b::7f00:1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "NAT64 of a network": "64:ff9b:1::808:808",
    "discard": "100::1",
}
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", FORBIDDEN.values(), ids=list(FORBIDDEN))
def test_it_sends_nothing_to_an_address_that_is_not_public(address):
    assert not is_allowed(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_it_sends_to_public_addresses(address):
    assert is_allowed(ip_address(address))


@pytest.mark.parametrize("address", ["10.20.0.7", "::ffff:10.20.0.7", "fd00:20::7"])
def test_it_sends_to_the_networks_that_a_setting_names(settings, address):
    settings.BMAT_WEBHOOK_NETWORKS = [ip_network("10.20.0.0/16"), ip_network("fd00:20::/32")]

    assert is_allowed(ip_address(address))
    assert not is_allowed(ip_address("10.21.0.7"))


@pytest.fixture
def names(monkeypatch):
    """Lets names lead to the addresses of this table, each question to the next ones."""
    table: dict[str, list[list[str]]] = {}

    def getaddrinfo(host, port, **_):
        answers = table.get(host, [[host]])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


def test_it_asks_for_a_name_once_and_connects_to_what_it_has_checked(names):
    names["rebinds.example"] = [["93.184.215.14"], ["127.0.0.1"]]

    assert resolve("rebinds.example", 443) == ["93.184.215.14"]
    with pytest.raises(Forbidden):
        resolve("rebinds.example", 443)


def test_one_private_address_among_public_ones_is_enough_to_refuse(names):
    names["both.example"] = [["93.184.215.14", "10.0.0.1"]]

    with pytest.raises(Forbidden):
        resolve("both.example", 443)


def test_a_slow_answer_for_a_name_takes_no_longer_than_an_attempt_may(monkeypatch, settings):
    settings.BMAT_WEBHOOK_SECONDS = 0.2
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(5) and [])

    answer = post("https://slow.example/", b"{}", {})
    asked.set()

    assert answer.error == "timeout"
    assert 0.2 <= answer.seconds < 2
