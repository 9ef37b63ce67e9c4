"""Uploads that go on where they broke off."""

from pathlib import Path
from typing import Any

import pytest

from bmat.client import ApiError, NoService
from bmat.client.client import Client
from bmat.client.tests.service import TUS, Service
from bmat.client.uploads import LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES, chunk_bytes

CHECKSUM = {"code": "checksum_mismatch", "message": "Send it again."}


def is_whole(service: Service, large: Path) -> bool:
    return list(service.contents.values()) == [[large.read_bytes()]]


def test_it_sends_no_byte_twice_over_a_connection_that_holds(
    service: Service, client: Client, large: Path
) -> None:
    client.submit(large)
    assert is_whole(service, large)
    assert service.patched_bytes == large.stat().st_size


@pytest.mark.parametrize(
    "fault",
    [
        {"cut_after_bytes": 10_000},
        {"loses_answer": True},
        {"status": 503},
        {"status": 423},
        {"status": 409, "body": {"code": "upload_offset_mismatch", "message": "Elsewhere."}},
        {"status": 460, "body": CHECKSUM},
    ],
    ids=["cut off", "answer lost", "away", "locked", "other offset", "garbled"],
)
def test_it_goes_on_from_what_has_arrived(
    service: Service, client: Client, large: Path, fault: dict[str, Any]
) -> None:
    service.fail("PATCH", times=3, **fault)
    client.submit(large)
    assert is_whole(service, large)
    assert len(service.asked("HEAD")) == 4


def test_it_sends_a_checksum_of_each_piece(service: Service, client: Client, large: Path) -> None:
    client.submit(large)
    assert all("sha256 " in sent["Upload-Checksum"] for sent in service.asked("PATCH"))


@pytest.mark.parametrize("left_out", ["Tus-Extension", "Tus-Checksum-Algorithm"])
def test_it_sends_none_where_the_service_checks_none(
    service: Service,
    client: Client,
    large: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_out: str,
) -> None:
    monkeypatch.delitem(TUS, left_out)
    client.submit(large)
    assert not any("Upload-Checksum" in sent for sent in service.asked("PATCH"))
    assert is_whole(service, large)


def test_it_does_without_where_another_version_is_spoken(
    service: Service, client: Client, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TUS, "Tus-Version", "2.0.0")
    client.submit(large)
    assert service.asked("PATCH") == []
    assert is_whole(service, large)


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PATCH"])
def test_it_tells_what_the_service_refuses(
    service: Service, client: Client, large: Path, method: str
) -> None:
    body = {"code": "not_authenticated", "message": "Who are you?"}
    service.fail(method, status=401, body=body)
    with pytest.raises(ApiError, match="Who are you|http_401"):
        client.submit(large)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 201), ("PATCH", 204)])
def test_an_answer_that_says_nothing_is_none(
    service: Service, client: Client, large: Path, method: str, status: int
) -> None:
    service.fail(method, "uploads", status=status)
    with pytest.raises(NoService):
        client.submit(large)


def test_an_upload_that_cannot_be_removed_is_left_to_expire(
    service: Service, client: Client, large: Path
) -> None:
    service.fail("DELETE", status=500)
    with pytest.raises(Exception, match="has changed"):
        client.submit(large, on_sent=lambda path, count: path.touch())
    assert len(service.uploads) == 1


def test_so_little_is_sent_at_a_time_that_little_is_lost() -> None:
    sent = 0
    while (size := chunk_bytes(sent)) < MOST_CHUNK_BYTES:
        assert LEAST_CHUNK_BYTES <= size <= max(LEAST_CHUNK_BYTES, sent / 16)
        sent += size
    assert chunk_bytes(2 * sent) == MOST_CHUNK_BYTES
