"""Flower through the proxy of production: a login and limits come first."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bmat.tests.live.processes import ServerProcess, free_port
from bmat.tests.live.proxy import COMPOSE, NGINX, answers, nginx_command
from bmat.tests.live.stack import FLOWER_LOGIN, START_SECONDS, Stack

WRONG = (FLOWER_LOGIN[0], "a guess")


@pytest.fixture
def flower(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """The address of Flower behind an nginx of its own, which has counted nothing yet."""
    port = free_port()
    hashed = ["openssl", "passwd", "-apr1", FLOWER_LOGIN[1]]
    password = subprocess.run(hashed, check=True, capture_output=True, text=True).stdout
    (tmp_path / "flower.htpasswd").write_text(f"{FLOWER_LOGIN[0]}:{password}")
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path))
    (tmp_path / "site.conf").write_text(site(stack, port, tmp_path))
    nginx = ServerProcess("nginx", nginx_command(tmp_path), tmp_path)
    try:
        nginx.start({})
        nginx.wait_until_ready(lambda: answers(port), START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.stop()


def site(stack: Stack, port: int, folder: Path) -> str:
    """The configuration of the image, for this machine."""
    text = (COMPOSE / "nginx" / "flower.conf.template").read_text()
    text = re.sub(r"\n    ssl_\w+ [^;]*;", "", text).replace("${BMAT_HOST}", "localhost")
    text = text.replace("listen 5555 ssl", f"listen 127.0.0.1:{port}")
    text = text.replace("http://flower:5555", f"http://127.0.0.1:{stack.flower_port}")
    return text.replace("/etc/nginx/certificates/", f"{folder}/")


def get(url: str, login: tuple[str, str] | None = None) -> requests.Response:
    return requests.get(url, auth=login, timeout=30)


def test_it_shows_flower_to_whoever_knows_the_login(flower: str) -> None:
    shown = get(f"{flower}/workers", FLOWER_LOGIN)

    assert (shown.status_code, "Flower</title>" in shown.text) == (200, True)


@pytest.mark.parametrize("login", [None, WRONG])
def test_it_asks_everybody_else_itself(flower: str, login: tuple[str, str] | None) -> None:
    refused = get(f"{flower}/", login)

    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (
        401,
        'Basic realm="Flower"',
    )
    assert refused.headers["Server"].startswith("nginx")
    assert "<center>nginx" in refused.text


@pytest.mark.parametrize("path", ["/metrics", "/healthcheck"])
def test_it_hides_what_flower_shows_without_a_login(flower: str, path: str) -> None:
    assert get(flower + path, FLOWER_LOGIN).status_code == 404


def test_passwords_are_guessed_slowly(flower: str) -> None:
    started = time.monotonic()
    answered = [get(f"{flower}/", WRONG).status_code for _ in range(120)]
    most = 41 + 5 * (time.monotonic() - started)

    assert set(answered) == {401, 429}
    assert answered.count(401) <= most
