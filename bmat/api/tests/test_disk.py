"""A disk that is full, or nearly so."""

import errno
import hashlib
import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.services import disk
from bmat.api.services.disk import DiskFull, ReceivedFile

pytestmark = pytest.mark.django_db

NO_ROOM = told_as(
    "disk_full", "There is no room for the upload here at the moment. Try again later."
)


def post(client, content=b"x" * 1000):
    return client.post("/api/reports/", {"input_file": SimpleUploadedFile("plays.csv", content)})


@pytest.fixture
def free(monkeypatch):
    """Lets the disk have so many bytes left."""

    def set_free(free_bytes):
        usage = type("Usage", (), {"free": free_bytes})
        monkeypatch.setattr("bmat.api.services.disk.shutil.disk_usage", lambda folder: usage)

    return set_free


def fail_with(number):
    def fail(*_, **__):
        raise OSError(number, "the internal cause")

    return fail


def test_it_refuses_an_upload_that_would_leave_too_little_before_it_reads_it(
    client, settings, free, monkeypatch, left_over
):
    def refuse(*_):
        raise AssertionError("the body was read")

    free(settings.BMAT_MIN_FREE_BYTES + 1000)
    monkeypatch.setattr("django.http.request.HttpRequest.read", refuse)

    response = post(client)

    assert (response.status_code, response.json()) == (507, NO_ROOM)
    assert left_over() == []


def test_it_accepts_an_upload_that_leaves_enough(client, settings, free):
    free(settings.BMAT_MIN_FREE_BYTES + 2000)

    assert post(client).status_code == 201


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_it_says_so_where_the_disk_is_full_half_way(client, monkeypatch, left_over, number):
    monkeypatch.setattr(TemporaryUploadedFile, "write", fail_with(number), raising=False)

    response = post(client)

    assert (response.status_code, response.json()) == (507, NO_ROOM)
    assert left_over() == []


def test_it_does_not_take_every_error_for_a_full_disk(client, monkeypatch, left_over):
    monkeypatch.setattr(TemporaryUploadedFile, "write", fail_with(errno.EIO), raising=False)

    with pytest.raises(OSError, match="the internal cause"):
        post(client)

    assert left_over() == []


def test_it_says_so_where_the_upload_cannot_be_saved(client, monkeypatch, left_over):
    monkeypatch.setattr("bmat.api.services.files.sync", fail_with(errno.ENOSPC))

    response = post(client)

    assert (response.status_code, response.json()) == (507, NO_ROOM)
    assert left_over() == []


def test_it_counts_an_uploads_result_before_it_is_written(client, settings, free):
    free(settings.BMAT_MIN_FREE_BYTES + 150_000)

    assert post(client, b"x" * 100_000).status_code == 507


def test_it_counts_the_results_of_reports_that_are_not_finished(client, settings, free, submit):
    submit(b"x" * 500_000)
    free(settings.BMAT_MIN_FREE_BYTES + 600_000)
    assert post(client, b"x" * 100_000).status_code == 507

    Report.objects.update(status=Report.Status.FAILED)

    assert post(client, b"x" * 100_000).status_code == 201


def test_it_reserves_what_is_still_to_come_of_an_upload(settings, free, monkeypatch):
    monkeypatch.setattr(disk, "ALLOCATED_BYTES", 2**19)
    free(settings.BMAT_MIN_FREE_BYTES + 2**20)
    file = ReceivedFile("plays.csv", "text/csv", None, is_hashed=False)
    file.reserve(2**20)

    assert not disk.has_room_for(1)
    file.write_chunk(b"x" * 2**19)
    assert disk.has_room_for(2**19) and not disk.has_room_for(2**19 + 1)
    file.complete()
    assert disk.has_room_for(2**20)
    file.close()


def test_it_has_room_found_ahead_of_what_is_written_and_not_past_what_was_announced(monkeypatch):
    monkeypatch.setattr(disk, "ALLOCATED_BYTES", 2**20)
    file = ReceivedFile("plays.csv", "text/csv", None, is_hashed=False)
    file.reserve(5 * 2**18)

    found = []
    for _ in range(5):
        file.write_chunk(b"x" * 2**18)
        found.append(os.stat(file.fileno()).st_blocks * disk.BLOCK_BYTES)

    assert found == [2**20, 2**20, 2**20, 2**20, 5 * 2**18]
    file.close()


def test_it_writes_where_the_system_finds_no_room_ahead(monkeypatch):
    monkeypatch.setattr(disk, "LIBRARY", object())
    file = ReceivedFile("plays.csv", "text/csv", None, is_hashed=False)
    file.reserve(1000)

    file.write_chunk(b"x" * 1000)
    file.complete()

    assert Path(file.temporary_file_path()).read_bytes() == b"x" * 1000
    file.close()


def test_it_reserves_nothing_for_what_a_dead_process_left(settings, free):
    free(settings.BMAT_MIN_FREE_BYTES)
    left = settings.FILE_UPLOAD_TEMP_DIR / "upload-left"
    with left.open("wb") as file:
        file.truncate(2**30)
    assert not disk.has_room_for(0)

    os.utime(left, (1, 1))

    assert disk.has_room_for(0)


def test_it_asks_again_while_an_upload_comes(settings, free, monkeypatch, left_over):
    monkeypatch.setattr("bmat.api.services.disk.STEP_BYTES", 1000)
    free(settings.BMAT_MIN_FREE_BYTES)
    file = ReceivedFile("plays.csv", "text/csv", None, is_hashed=False)
    file.write_chunk(b"x" * 1500)

    free(settings.BMAT_MIN_FREE_BYTES - 1)

    with pytest.raises(DiskFull):
        file.write_chunk(b"x" * 1500)
    file.close()
    assert left_over() == []


def test_it_finds_the_sha256_beside_the_writing():
    chunks = [bytes([number]) * 1000 for number in range(100)]
    file = ReceivedFile("plays.csv", "text/csv", None, is_hashed=True)
    for chunk in chunks:
        file.write_chunk(chunk)
    file.complete()

    assert file.sha256.digest() == hashlib.sha256(b"".join(chunks)).digest()
    assert Path(file.temporary_file_path()).read_bytes() == b"".join(chunks)
    file.close()


def test_it_reserves_nothing_where_there_is_no_room(settings, free, left_over):
    free(settings.BMAT_MIN_FREE_BYTES + 999)
    file = ReceivedFile("plays.csv", "text/csv", None, is_hashed=False)

    with pytest.raises(DiskFull):
        file.reserve(1000)

    file.close()
    assert left_over() == []


def test_it_passes_over_an_upload_that_ends_meanwhile(settings, monkeypatch):
    ended = settings.FILE_UPLOAD_TEMP_DIR / "upload-ended"
    ended.touch()
    entries = list(os.scandir(settings.FILE_UPLOAD_TEMP_DIR))
    ended.unlink()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("bmat.api.services.disk.os.scandir", lambda _: entries)
        reserved = disk.reserved_bytes()

    assert reserved == 0
