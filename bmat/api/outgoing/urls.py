"""Where events may be sent to: URLs and secrets as users give them; and addresses, which are public
ones, and those of BMAT_WEBHOOK_NETWORKS.

A name is asked for once. All of its addresses are checked, and then one of these very addresses is
connected to: what the name leads to a moment later does not matter (DNS rebinding).
"""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

URL_LENGTH = 2000
HOST_LENGTH = 253
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# The last one begins with a letter: 127.1 and 0x7f000001 are addresses, to some programs.
NAME = rf"(?:{LABEL}\.)*[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?"
BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = rf"{BYTE}(?:\.{BYTE}){{3}}"
IPV6 = r"\[[0-9A-Fa-f:.]+\]"
LOGIN = r"(?:[A-Za-z0-9._~!$&'()*+,;=:%-]+@)?"
PORT = (
    "(?::(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
)
PATH = r"(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
# Printable ASCII: other letters are written as xn--... in the host, as %C3%BC elsewhere.
URL = re.compile(rf"https?://{LOGIN}(?:{NAME}|{IPV4}|{IPV6}){PORT}{PATH}", re.ASCII)
# An address, not a name.
IS_LITERAL = re.compile(rf"{IPV4}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", re.ASCII)
# The same for the API's description: without IPv6 addresses, which no pattern of a bearable length
# tells from what is none, and without http.
HTTPS_URL = rf"https://{LOGIN}(?:{NAME}|{IPV4}){PORT}{PATH}"

# 24 to 64 bytes in Base64, as https://www.standardwebhooks.com has it.
SECRET_PREFIX = "whsec_"
DIGIT = "[A-Za-z0-9+/]"
SECRET_PATTERN = (
    rf"{SECRET_PREFIX}(?:(?:{DIGIT}{{4}}){{8,20}}(?:{DIGIT}{{4}}|{DIGIT}{{3}}=|{DIGIT}{{2}}==)?"
    rf"|(?:{DIGIT}{{4}}){{21}}(?:{DIGIT}{{2}}==)?)"
)
SECRET = re.compile(SECRET_PATTERN, re.ASCII)
SECRET_LENGTH = 94

# Those of other protocols, whose servers might take a request for something of theirs. Browsers
# refuse the same ones: https://fetch.spec.whatwg.org/#port-blocking
BAD_PORTS = frozenset(
    int(port)
    for port in """
    1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113
    115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554
    556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665
    6666 6667 6668 6669 6679 6697 10080
    """.split()
)

NO_URL = (
    "This is no URL that events can be sent to. Write https://host/path in ASCII, with at most "
    f"{URL_LENGTH} characters and without #."
)
NO_HTTP = "Events are sent over https alone here."
NO_WEB_PORT = "Events are not sent to this port: it is that of another protocol."
NOT_PUBLIC = "Events are sent to public addresses alone, and this is none."
NO_SECRET = f"Write {SECRET_PREFIX} and then 24 to 64 random bytes in Base64."

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


def check_url(url: str) -> None:
    """Raises ValidationError for a URL that no event is sent to, whatever its host's name leads to
    later.
    """
    if len(url) > URL_LENGTH or not URL.fullmatch(url):
        raise ValidationError(NO_URL)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        address = ip_address(host) if IS_LITERAL.fullmatch(host) else None
    except ValueError as error:
        raise ValidationError(NO_URL) from error
    if len(host) > HOST_LENGTH:
        raise ValidationError(NO_URL)
    if parts.scheme == "http" and not settings.BMAT_WEBHOOK_HTTP:
        raise ValidationError(NO_HTTP)
    if port in BAD_PORTS:
        raise ValidationError(NO_WEB_PORT)
    if address is not None and not is_allowed(address):
        raise ValidationError(NOT_PUBLIC)


def check_secret(secret: str) -> None:
    """Raises ValidationError for a secret that nothing is signed with."""
    if not SECRET.fullmatch(secret):
        raise ValidationError(NO_SECRET)


def without_login(url: str) -> str:
    """The URL without the name and password that it may hold."""
    scheme, separator, rest = url.partition("://")
    # A path may hold an @, too, and a login holds no slash.
    end = re.search(r"[/?]|$", rest)
    assert end is not None
    host = rest[: end.start()].rpartition("@")[2]
    return f"{scheme}{separator}{host}{rest[end.start() :]}"


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
