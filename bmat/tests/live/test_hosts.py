"""Other host names and pages of other sites, as they reach the running service."""

import http.client
from typing import Any

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import ANSWER_SECONDS, Client
from bmat.tests.live.stack import FLOWER_LOGIN, Stack

EVIL_HOST = {"Host": "evil.example"}
EVIL_PAGE = {"Origin": "http://evil.example"}
GIB = str(2**30)


def send(method: str, url: str, headers: dict[str, str], **more: Any) -> int:
    return requests.request(
        method, url, headers=headers, timeout=ANSWER_SECONDS, **more
    ).status_code


def test_another_host_gets_400_and_a_page_of_another_site_403(client: Client) -> None:
    pid = client.upload(samples.PLAYS)
    report = f"{client.reports_url}{pid}"
    upload = {"files": {"input_file": ("plays.csv", samples.PLAYS)}}

    assert send("GET", client.reports_url, EVIL_HOST) == 400
    assert send("GET", f"{client.base_url}/static/api/docs.js", EVIL_HOST) == 400
    for headers, status in ((EVIL_HOST, 400), (EVIL_PAGE, 403)):
        assert send("POST", client.reports_url, headers, **upload) == status
        assert send("DELETE", report, headers) == status
    assert client.get(pid).status_code == 200


@pytest.mark.parametrize("headers, status", [(EVIL_HOST, 400), (EVIL_PAGE, 403)])
def test_it_answers_before_any_of_the_upload_is_sent(
    stack: Stack, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=ANSWER_SECONDS)
    announced = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": GIB}

    connection.putrequest("POST", "/api/reports/", skip_host="Host" in headers)
    for name, value in {**announced, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()

    assert connection.getresponse().status == status
    connection.close()


@pytest.mark.parametrize("path", ["/", "/workers", "/api/tasks", "/healthcheck", "/none"])
def test_flower_answers_to_no_other_host(stack: Stack, path: str) -> None:
    url = f"http://127.0.0.1:{stack.flower_port}{path}"

    answer = requests.get(url, auth=FLOWER_LOGIN, headers=EVIL_HOST, timeout=ANSWER_SECONDS)

    assert (answer.status_code, answer.text) == (
        400,
        "Flower does not answer to this host name. DJANGO_ALLOWED_HOSTS=NAME, at its start, adds "
        "one.\n",
    )


def test_flower_answers_to_this_machine(stack: Stack) -> None:
    answers = [stack.flower_get(path).status_code for path in ("/workers", "/none")]

    assert answers == [200, 404]
