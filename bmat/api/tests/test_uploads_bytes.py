"""tus 1.0.0: which bytes count. Those that are on disk, of one request at a time."""

import base64
import os
import threading
import time
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import OperationalError

from bmat.api.access import transfers
from bmat.api.models import Upload
from bmat.api.models.uploads import UploadQuerySet
from bmat.api.services import database, disk
from bmat.api.services.uploads import appending, pieces
from bmat.api.services.uploads.appending import Interrupted, Locked
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.tus import Sender, checksum
from bmat.server.bodies import BodyTimedOut

pytestmark = pytest.mark.django_db(transaction=True)

KIB = 1024


@pytest.fixture
def tus(client):
    return Sender(client)


@pytest.fixture
def url(tus):
    return tus.created(100 * KIB, report="no")


def id_of(url):
    return Upload.objects.get(pk=url.rsplit("/", 1)[1]).pk


class Steps(BytesIO):
    """A body that comes in steps: bytes, or what is done or raised meanwhile."""

    def __init__(self, *steps):
        super().__init__()
        self._steps = list(steps)

    def read(self, size=-1):
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, bytes):
                return step
            if isinstance(step, Exception):
                raise step
            step()
        return b""


def patch_steps(tus, url, *steps, length=80 * KIB, **headers):
    """Sends a body in steps, of which that length was announced."""
    return tus.patch(url, 0, Steps(*steps), **headers, Content_Length=str(length))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_bytes_with_their_checksum_count(tus, url, algorithm):
    answer = tus.patch(url, 0, PLAYS, Upload_Checksum=checksum(PLAYS, algorithm))

    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(PLAYS)))


def test_bytes_with_another_checksum_do_not(tus, url):
    tus.patch(url, 0, b"12345")

    answer = tus.patch(url, 5, PLAYS, Upload_Checksum=checksum(PLAYS + b"x"))

    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert tus.head(url)["Upload-Offset"] == "5"
    assert tus.patch(url, 5, PLAYS, Upload_Checksum=checksum(PLAYS)).status_code == 204


def test_wrong_bytes_are_written_over(tus, home):
    url = tus.created(len(PLAYS), report="no")
    tus.patch(url, 0, b"x" * len(PLAYS), Upload_Checksum=checksum(b"y"))

    tus.patch(url, 0, PLAYS)

    assert appending.path_of(id_of(url)).read_bytes() == PLAYS


@pytest.mark.parametrize("value", ["crc32 AAAA", "sha1", "sha1 x", "", "sha1 " + "\\"])
def test_a_checksum_is_one_that_can_be_checked(tus, url, value):
    answer = tus.patch(url, 0, PLAYS, Upload_Checksum=value)

    assert answer.status_code in (400, 460)
    assert tus.head(url)["Upload-Offset"] == "0"


def test_what_has_arrived_counts_where_the_link_drops(tus, url, caplog):
    caplog.set_level("INFO", "bmat.reports")

    answer = patch_steps(tus, url, b"x" * 30 * KIB)

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert tus.head(url)["Upload-Offset"] == str(30 * KIB)
    assert f"upload {id_of(url)} broke off: upload has 30%" in caplog.text


def test_what_has_arrived_counts_where_the_client_is_too_slow(tus, url):
    answer = patch_steps(tus, url, b"x" * KIB, BodyTimedOut("too slow"))

    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")
    assert tus.head(url)["Upload-Offset"] == str(KIB)


def test_nothing_counts_that_cannot_be_checked(tus, url):
    patch_steps(tus, url, b"x" * KIB, Upload_Checksum=checksum(b"x"))

    assert tus.head(url)["Upload-Offset"] == "0"


def test_bytes_count_while_they_come(tus, url, monkeypatch):
    monkeypatch.setattr(appending, "SYNC_BYTES", 10 * KIB)
    seen: list[int] = []

    def look():
        time.sleep(0.02)
        seen.append(Upload.objects.get().offset)

    patch_steps(tus, url, b"x" * 30 * KIB, *[look, b"y" * KIB] * 50)

    assert {0, 30 * KIB} < set(seen) and sorted(seen) == seen
    assert tus.head(url)["Upload-Offset"] == str(80 * KIB)


def test_bytes_count_after_a_while_however_few(tus, url, monkeypatch):
    monkeypatch.setattr(appending, "SYNC_SECONDS", 0)
    synced: list[int] = []
    monkeypatch.setattr(disk, "sync_data", synced.append)

    patch_steps(tus, url, b"x", b"y", length=2)

    assert len(synced) == 3


def test_no_byte_counts_before_it_is_synced(tus, url, monkeypatch):
    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk, "sync_data", fail)
    tus.client.raise_request_exception = False

    assert tus.patch(url, 0, PLAYS).status_code == 500
    assert Upload.objects.get().offset == 0


def test_bytes_that_find_no_room_are_refused(tus, url, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", no_room)

    answer = tus.patch(url, 0, PLAYS)

    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


def test_a_disk_that_fills_up_ends_it_and_keeps_what_has_come(tus, url, monkeypatch):
    monkeypatch.setattr(appending, "SYNC_BYTES", KIB)
    monkeypatch.setattr(disk, "has_room_for", lambda _: False)

    assert patch_steps(tus, url, b"x" * 2 * KIB, b"y").status_code == 507
    assert tus.head(url)["Upload-Offset"] == str(2 * KIB)


def test_a_second_writer_is_told_to_wait(tus, url, monkeypatch):
    monkeypatch.setattr(appending, "LOCK_SECONDS", 0.1)
    answers = []

    def again():
        answers.append(tus.patch(url, 0, b"z"))

    assert patch_steps(tus, url, b"x" * KIB, again, b"y" * KIB, length=2 * KIB).status_code == 204
    assert (answers[0].status_code, answers[0].json()["code"]) == (423, "upload_locked")
    assert answers[0]["Retry-After"] == "1"
    assert tus.head(url)["Upload-Offset"] == str(2 * KIB)


def test_head_tells_what_has_come_so_far_while_another_writes(tus, url, monkeypatch):
    monkeypatch.setattr(appending, "LOCK_SECONDS", 0.1)
    answers = []

    patch_steps(tus, url, lambda: answers.append(tus.head(url)), b"x" * KIB, length=KIB)

    assert (answers[0].status_code, answers[0]["Upload-Offset"]) == (200, "0")


def test_a_writer_that_is_stuck_gives_up_to_the_next_one(tus, url):
    upload_id = id_of(url)
    other = threading.Thread(target=lambda: pieces.settle(upload_id))

    def stuck():
        """As a stream is that waits for its client."""
        other.start()
        while True:
            appending.while_waiting(upload_id)

    answer = patch_steps(tus, url, b"x" * KIB, stuck)
    other.join()

    assert answer.status_code == 423
    assert tus.head(url)["Upload-Offset"] == str(KIB)


def test_a_writer_at_work_is_left_alone(tus, url):
    upload_id = id_of(url)
    with appending.locked(upload_id) as file:
        writing = threading.Event()

        def write():
            while not writing.wait(0.01):
                os.pwrite(file.fileno(), b"x", 0)

        thread = threading.Thread(target=write)
        thread.start()
        started = time.monotonic()
        with pytest.raises(Locked), appending.locked(upload_id):
            pass
        writing.set()
        thread.join()
    assert time.monotonic() - started < appending.LOCK_SECONDS
    assert not appending.wanted(upload_id).exists()


def test_nobody_waits_who_does_not_want_to(url):
    with appending.locked(id_of(url)), pytest.raises(Locked):
        with appending.locked(id_of(url), waits=False):
            pass


def test_only_who_is_wanted_gives_up():
    upload_id = uuid4()
    appending.while_waiting(upload_id)
    appending.wanted(upload_id).touch()
    with pytest.raises(Interrupted):
        appending.while_waiting(upload_id)


def test_an_upload_that_is_removed_meanwhile_is_gone(tus, url):
    def remove():
        assert tus.send("DELETE", url).status_code == 204

    answer = patch_steps(tus, url, b"x" * KIB, remove, b"y" * KIB, length=2 * KIB)

    assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")


def test_a_database_that_is_away_for_a_moment_costs_nothing(tus, url, monkeypatch):
    monkeypatch.setattr(database, "ASK_AGAIN_SECONDS", 0)
    update, away = UploadQuerySet.update, [OperationalError("away")]

    def sometimes(self, **values):
        if away:
            raise away.pop()
        return update(self, **values)

    monkeypatch.setattr(UploadQuerySet, "update", sometimes)

    assert tus.patch(url, 0, PLAYS).status_code == 204
    assert (Upload.objects.get().offset, away) == (len(PLAYS), [])


def test_a_sender_has_a_few_under_way(tus, url, settings):
    settings.BMAT_MAX_TRANSFERS = 1
    answers = []

    def again():
        other = tus.created(100 * KIB, report="no")
        answers.append(patch_steps(tus, other, b"x"))

    patch_steps(tus, url, b"x", again)

    assert (answers[0].status_code, answers[0].json()["code"]) == (429, "too_many_transfers")
    assert not transfers


def test_digests_are_those_of_the_protocol():
    # The example of the specification.
    assert checksum(b"hello world") == "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="
    assert base64.b64decode("Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
