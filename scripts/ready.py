"""Waiting for servers by asking them."""

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable

POLL_SECONDS = 0.1
ANSWER_SECONDS = 5.0
# Whatever proxy the environment names: these servers are on this machine.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask until `condition` holds; False where it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def answers(url: str) -> bool:
    """Whether `url` gives an HTTP answer with a status below 500."""
    try:
        with opener.open(url, timeout=ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, http.client.HTTPException):
        return False


def flower_sees_a_worker(flower_url: str, basic_auth: str) -> bool:
    """Whether Flower has heard of a worker that is alive."""
    request = urllib.request.Request(f"{flower_url}/workers?json=1")
    request.add_header("Authorization", "Basic " + base64.b64encode(basic_auth.encode()).decode())
    try:
        with opener.open(request, timeout=ANSWER_SECONDS) as answer:
            workers = json.load(answer)["data"]
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return any(worker["status"] for worker in workers)
