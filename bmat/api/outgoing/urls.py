"""The URLs that events may be sent to, and the secrets that they are signed with, as users give
them.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from bmat.api.outgoing.addresses import is_allowed

URL_LENGTH = 2000
HOST_LENGTH = 253
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST = rf"(?:{LABEL}(?:\.{LABEL})*|\[[0-9A-Fa-f:.]+\])"
LOGIN = r"(?:[A-Za-z0-9._~!$&'()*+,;=:%-]+@)?"
PORT = r"(?::[1-9][0-9]{0,4})?"
PATH = r"(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
# Printable ASCII: other letters are written as xn--... in the host, as %C3%BC elsewhere.
HTTPS_URL = rf"https://{LOGIN}{HOST}{PORT}{PATH}"
URL = re.compile(rf"https?://{LOGIN}{HOST}{PORT}{PATH}", re.ASCII)

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
MOST_PORT = 65535

NO_URL = (
    "This is no URL that events can be sent to. Write https://host/path in ASCII, with at most "
    f"{URL_LENGTH} characters and without #."
)
NO_HTTP = "Events are sent over https alone here."
NO_WEB_PORT = "Events are not sent to this port: it is that of another protocol, or none."
NOT_PUBLIC = "Events are sent to public addresses alone, and this is none."
NO_SECRET = f"Write {SECRET_PREFIX} and then 24 to 64 random bytes in Base64."


def check_url(url: str) -> None:
    """Raises ValidationError for a URL that no event is sent to, whatever its host's name leads to
    later.
    """
    if len(url) > URL_LENGTH or not URL.fullmatch(url):
        raise ValidationError(NO_URL)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        address = ip_address(host) if is_literal(host) else None
    except ValueError as error:
        raise ValidationError(NO_URL) from error
    if len(host) > HOST_LENGTH:
        raise ValidationError(NO_URL)
    if parts.scheme == "http" and not settings.BMAT_WEBHOOK_HTTP:
        raise ValidationError(NO_HTTP)
    if port is not None and (port in BAD_PORTS or port > MOST_PORT):
        raise ValidationError(NO_WEB_PORT)
    if address is not None and not is_allowed(address):
        raise ValidationError(NOT_PUBLIC)


def is_literal(host: str) -> bool:
    """Whether the host is written as an IP address, be it a wrong one."""
    return ":" in host or re.fullmatch(r"[0-9.]+", host) is not None


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
