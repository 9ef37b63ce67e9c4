"""Which addresses events may be sent to: public ones, and those of BMAT_WEBHOOK_NETWORKS.

A name is asked for once. All of its addresses are checked, and then one of these very addresses is
connected to: what the name leads to a moment later does not matter (DNS rebinding).
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address

# What is public in IPv6; all the rest is reserved, local or multicast.
GLOBAL_UNICAST = ip_network("2000::/3")
# They hold an IPv4 address in their last 32 bits, to which a translator passes on what they get.
# https://www.rfc-editor.org/rfc/rfc6052
NAT64 = ip_network("64:ff9b::/96")
# Not public either, though some versions of Python take them for it.
# https://www.iana.org/assignments/iana-ipv4-special-registry/
RESERVED = [
    ip_network("192.0.0.0/24"),
    ip_network("192.88.99.0/24"),
    ip_network("3fff::/20"),
    # Each virtual machine of Azure reaches its own host there.
    # https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
    ip_network("168.63.129.16/32"),
]


class Forbidden(Exception):
    """The host has an address that nothing is sent to."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of the host, in the order in which they should be tried. Raises Forbidden where
    one of them is not allowed, and OSError or UnicodeError where there are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # Each address once.
    addresses = list(dict.fromkeys(str(socket_address[0]) for *_, socket_address in found))
    for address in addresses:
        if not is_allowed(ip_address(address)):
            raise Forbidden(f"{host} is {address}")
    return addresses


def is_allowed(address: Address) -> bool:
    """Whether something may be sent to the address."""
    meant = embedded(address)
    return is_public(meant) or any(meant in network for network in settings.BMAT_WEBHOOK_NETWORKS)


def is_public(address: Address) -> bool:
    """Whether anybody can reach the address: it is none of loopback, a private or shared network
    (CGNAT), a link (as that of cloud metadata, 169.254.169.254), multicast, documentation, reserved
    or unspecified.
    """
    if address.is_multicast or not address.is_global:
        return False
    if any(address in network for network in RESERVED):
        return False
    if isinstance(address, IPv4Address):
        return not address.is_reserved
    # 6to4 and Teredo lead to IPv4 addresses that they hold, through machines of others.
    is_tunnel = address.sixtofour is not None or address.teredo is not None
    return address in GLOBAL_UNICAST and not is_tunnel


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does; else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
