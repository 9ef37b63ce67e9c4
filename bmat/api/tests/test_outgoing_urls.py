"""The URLs and secrets that users give for events."""

import base64
import re

import pytest
from django.core.exceptions import ValidationError
from standardwebhooks import Webhook

from bmat.api.outgoing import urls
from bmat.api.outgoing.urls import check_secret, check_url, without_login

GOOD = [
    "https://receiver.example",
    "https://receiver.example/events?of=bmat&x=%C3%BC",
    "https://name:pass%40word@receiver.example:8443/a/b",
    "https://xn--bcher-kva.example/",
    "https://localhost/",
    "https://8.8.8.8/",
    "https://[2606:2800:220:1::1]:443/",
]
BAD = {
    urls.NO_URL: [
        "",
        "receiver.example",
        "ftp://receiver.example/",
        "HTTPS://receiver.example/",
        "https://",
        "https:///path",
        "https://receiver.example/#part",
        "https://receiver.example/a b",
        "https://receiver.example/\r\nHost: other",
        "https://bücher.example/",
        "https://receiver.example\\@other.example/",
        "https://-receiver.example/",
        "https://a..example/",
        "https://999.1.1.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://[::g]/",
        "https://[1:2]/",
        "https://receiver.example:0/",
        "https://receiver.example:99999/",
        f"https://{'x' * 64}.example/",
        f"https://{'x.' * 130}example/",
        f"https://receiver.example/{'x' * 2000}",
    ],
    urls.NO_HTTP: ["http://receiver.example/"],
    urls.NO_WEB_PORT: ["https://receiver.example:25/", "https://receiver.example:6667/"],
    urls.NOT_PUBLIC: ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest"],
}


@pytest.mark.parametrize("url", GOOD)
def test_it_takes_a_url_of_the_web(url):
    check_url(url)

    assert re.fullmatch(urls.HTTPS_URL, url) or "[" in url


@pytest.mark.parametrize(
    "url, message", [(url, message) for message, bad in BAD.items() for url in bad]
)
def test_it_says_what_is_wrong_with_a_url(url, message):
    with pytest.raises(ValidationError) as error:
        check_url(url)

    assert error.value.messages == [message]


def test_it_takes_http_where_a_setting_says_so(settings):
    settings.BMAT_WEBHOOK_HTTP = True

    check_url("http://receiver.example/")


@pytest.mark.parametrize(
    "url, shown",
    [
        ("https://name:secret@receiver.example:8443/a?b", "https://receiver.example:8443/a?b"),
        ("https://token@receiver.example", "https://receiver.example"),
        ("https://receiver.example/@name", "https://receiver.example/@name"),
        ("https://receiver.example?mail=a@b", "https://receiver.example?mail=a@b"),
    ],
)
def test_it_shows_a_url_without_its_login(url, shown):
    assert without_login(url) == shown


@pytest.mark.parametrize("length", [24, 25, 26, 32, 63, 64])
def test_it_takes_secrets_of_24_to_64_bytes(length):
    secret = "whsec_" + base64.b64encode(bytes(range(length))).decode()

    check_secret(secret)

    assert len(secret) <= urls.SECRET_LENGTH
    Webhook(secret)


@pytest.mark.parametrize(
    "secret",
    [
        "secret",
        base64.b64encode(bytes(32)).decode(),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_" + "-" * 32,
        "whsec_" + "A" * 33,
    ],
)
def test_it_refuses_a_secret_that_is_none(secret):
    with pytest.raises(ValidationError, match="24 to 64 random bytes"):
        check_secret(secret)
