"""Downloads through the proxy of production, which sends the files itself."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import ANSWER_SECONDS, Client
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.proxy import PREFIX, proxied
from bmat.tests.live.stack import Stack

PLAIN = {"Accept-Encoding": "identity"}
# What the service says about a file must reach the client whoever sends it.
KEPT_HEADERS = ["Content-Type", "Content-Disposition", "Cache-Control", "ETag", "Last-Modified"]
KEPT_HEADERS += ["Vary", "X-Frame-Options", "X-Content-Type-Options", "Content-Length"]


@pytest.fixture(scope="module")
def proxy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with proxied(stack, tmp_path_factory.mktemp("proxy")) as client:
        yield client


@pytest.fixture(scope="module")
def report(proxy: Client) -> tuple[str, bytes]:
    """The path of a report's output, and its bytes."""
    content, totals = as_csv(plays(20_000))
    pid = proxy.upload(content)
    proxy.done(pid)
    return f"/api/reports/{pid}/output", totals


def get(client: Client, path: str, **headers: str) -> requests.Response:
    url = client.base_url + path
    return requests.get(url, headers={**PLAIN, **headers}, timeout=ANSWER_SECONDS)


def test_it_sends_what_the_service_would_send(
    proxy: Client, client: Client, report: tuple[str, bytes]
) -> None:
    path, totals = report
    through, direct = get(proxy, path), get(client, path)
    assert through.headers["Server"].startswith("nginx")
    assert through.content == direct.content == totals
    differing = {name for name in KEPT_HEADERS if through.headers[name] != direct.headers[name]}
    assert differing == set()


def test_it_serves_ranges_of_the_file_that_the_client_began(
    proxy: Client, report: tuple[str, bytes]
) -> None:
    path, totals = report
    etag = get(proxy, path).headers["ETag"]
    rest = get(proxy, path, **{"Range": "bytes=1000-", "If-Range": etag})
    assert (rest.status_code, rest.content) == (206, totals[1000:])
    whole = get(proxy, path, **{"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (whole.status_code, whole.content) == (200, totals)
    assert get(proxy, path, **{"Range": f"bytes={len(totals)}-"}).status_code == 416


def test_it_compresses_for_those_who_ask(proxy: Client, report: tuple[str, bytes]) -> None:
    path, totals = report
    url = proxy.base_url + path
    with requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["ETag"].startswith('W/"')
        assert gzip.decompress(answer.raw.read(decode_content=False)) == totals
    again = get(proxy, path, **{"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_it_serves_ranges_of_the_plain_bytes_to_those_who_could_take_others(
    proxy: Client, client: Client, report: tuple[str, bytes]
) -> None:
    path, totals = report
    for door in (proxy, client):
        part = get(door, path, **{"Range": "bytes=1000-1999", "Accept-Encoding": "gzip"})
        assert (part.status_code, part.content) == (206, totals[1000:2000])
        assert "Content-Encoding" not in part.headers


def test_it_refuses_a_large_form_in_the_shape_of_the_api(proxy: Client) -> None:
    url = f"{proxy.base_url}/api/auth/login"
    answer = requests.post(url, data=b"x" * 70_000, timeout=ANSWER_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (413, "form_too_large")
    assert answer.headers["Server"].startswith("nginx")


def test_it_knows_what_the_client_has(proxy: Client, report: tuple[str, bytes]) -> None:
    path, totals = report
    first = get(proxy, path)
    for header, name in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        assert get(proxy, path, **{header: first.headers[name]}).status_code == 304
    assert get(proxy, path, **{"If-Match": first.headers["ETag"]}).content == totals


@pytest.mark.parametrize("query", ["", "?excel_safe=1", "?format=jsonl", "?format=parquet"])
def test_it_tells_head_what_get_would_find(
    proxy: Client, report: tuple[str, bytes], query: str
) -> None:
    path, _ = report
    found = get(proxy, path + query)
    head = requests.head(proxy.base_url + path + query, headers=PLAIN, timeout=ANSWER_SECONDS)
    assert (found.status_code, head.status_code, head.content) == (200, 200, b"")
    assert head.headers["ETag"] == found.headers["ETag"]
    assert head.headers.get("Content-Length") == found.headers.get("Content-Length")


def test_it_sends_no_file_that_the_service_was_not_asked_for(
    stack: Stack, proxy: Client, report: tuple[str, bytes]
) -> None:
    pid = report[0].split("/")[3]
    name = next(path for path in stack.files_of(pid) if path.name == "output.csv")
    inside = name.relative_to(stack.home / "reports")
    for path in (f"{PREFIX}{inside}", PREFIX, f"/x/..{PREFIX}{inside}", f"/{PREFIX}{inside}"):
        assert get(proxy, path).status_code == 404
    assert (Path(stack.home) / "reports" / inside).exists()


def test_it_passes_errors_on(proxy: Client) -> None:
    pid = proxy.upload(samples.PLAYS)
    proxy.done(pid)
    path = f"/api/reports/{pid}/output"
    assert get(proxy, f"{path}?format=xlsx").status_code == 400
    assert get(proxy, path, Accept="image/png").status_code == 406
    assert get(proxy, f"/api/reports/{pid}/rejects").status_code == 409
