"""The web server with the settings of production, as strangers meet it behind the proxy."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import ANSWER_SECONDS, within
from bmat.tests.live.stack import START_SECONDS, Stack

# What the proxy adds: TLS ended there.
PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DJANGO_SECRET_KEY": "a key of the live tests, which nobody needs to guess at all",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "BMAT_MAX_RUNNING_REPORTS": "5",
}
AT_ONCE = 50

Send = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Redis and the web server; no worker, so that no report ends."""
    running = Stack(tmp_path_factory.mktemp("strangers"), settings=SETTINGS)
    try:
        running.postgres.start()
        running.redis.start()
        running.web.start(running.environment)
        running.web.wait_until_ready(running.client.answers, START_SECONDS)
        yield running
    finally:
        running.stop()


@pytest.fixture
def send(service: Stack) -> Send:
    """Sends a request as the proxy would, with a token if one is given."""

    def sent(method: str, path: str = "", token: str = "", **more: Any) -> requests.Response:
        headers = {**PROXY, **({"Authorization": f"Token {token}"} if token else {})}
        url = service.client.reports_url + path
        return requests.request(method, url, headers=headers, timeout=ANSWER_SECONDS, **more)

    return sent


def upload(send: Send, token: str) -> requests.Response:
    return send("POST", token=token, files={"input_file": ("plays.csv", samples.PLAYS)})


def test_it_lets_nobody_in_without_a_token(send: Send) -> None:
    answer = send("GET")

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")
    assert answer.headers["RateLimit-Policy"] == '"default";q=600;w=60'
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_it_answers_nothing_without_tls(service: Stack) -> None:
    answer = requests.get(service.client.reports_url, allow_redirects=False, timeout=ANSWER_SECONDS)

    assert (answer.status_code, answer.headers["Location"][:8]) == (301, "https://")


def test_it_shows_a_report_to_its_owner_alone(service: Stack, send: Send) -> None:
    alice, bob = (service.token_of_new_user(name) for name in ("alice", "bob"))

    pid = upload(send, alice).json()["pid"]

    assert send("GET", pid, token=alice).status_code == 200
    assert send("GET", pid, token=bob).status_code == 404


def test_of_posts_of_the_same_moment_it_takes_as_many_as_may_run(
    service: Stack, send: Send
) -> None:
    token = service.token_of_new_user("carol")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: upload(send, token), range(AT_ONCE)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * 5 + [429] * (AT_ONCE - 5)
    assert send("GET", token=token).json()["results"][5:] == []


def test_its_processes_count_together(service: Stack, send: Send) -> None:
    token = service.token_of_new_user("dave")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send("GET", token=token), range(60)))

    left = {int(answer.headers["RateLimit"].split(";")[1][2:]) for answer in answers}
    assert min(left) == 600 - 60


def test_it_takes_uploads_while_redis_is_away(service: Stack, send: Send) -> None:
    token = service.token_of_new_user("erin")
    service.redis.stop()
    try:
        with within(10.0):
            answers = [upload(send, token) for _ in range(5)]
    finally:
        service.redis.start()

    assert {answer.status_code for answer in answers} == {201}
    assert [answer for answer in answers if "RateLimit" in answer.headers] == []
    # Each of the two processes says it once.
    assert 1 <= service.web.log().count("requests are not counted") <= 2
