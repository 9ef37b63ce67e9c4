"""Flower, which answers to the same host names as the service: `python -m config.flower [OPTION]`,
with the options of `celery flower`.

It has a login; but in the service of one machine that is one that everybody knows, so that a page
of any website could read it under a name of its own (see hosts.py). Only Flower's styles, scripts
and images, which Tornado answers in front of all else, are there under any name.
"""

import sys
from collections.abc import Sequence
from typing import Any

from celery.__main__ import main as celery
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from flower.urls import handlers
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

from config.hosts import LOOPBACK

REFUSED = (
    "Flower does not answer to this host name. DJANGO_ALLOWED_HOSTS=NAME, at its start, adds one."
)


class HostIsKnown(Matcher):
    """Matches the requests for a host of these names, as Django's ALLOWED_HOSTS has them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        domain, _ = split_domain_port(request.host)
        return {} if domain and validate_host(domain, self._names) else None


class UnknownHost(RequestHandler):
    """Answers everything else with 400."""

    def prepare(self) -> None:
        self.set_status(400)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{REFUSED}\n")

    def data_received(self, chunk: bytes) -> None:
        """Nothing is streamed."""


def held_to(names: Sequence[str], routes: Sequence[Any]) -> list[Any]:
    """The routes of an application of Tornado, for requests to a host of these names alone."""
    return [Rule(HostIsKnown(names), list(routes)), (r".*", UnknownHost)]


def main() -> None:
    """Runs Flower until it is stopped."""
    # A container asks itself whether it is healthy under a name of the loopback.
    handlers[:] = held_to([*LOOPBACK, *settings.ALLOWED_HOSTS], handlers)
    sys.argv = ["celery", "--app", "bmat.taskapp.celery", "flower", *sys.argv[1:]]
    celery()


if __name__ == "__main__":
    main()
