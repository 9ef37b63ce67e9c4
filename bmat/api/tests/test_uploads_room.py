"""The disk's room of uploads that come in parts: nobody holds what they have only announced."""

import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bmat.api.models import Upload
from bmat.api.tests.tus import UPLOADS, Sender, path_of

pytestmark = pytest.mark.django_db(transaction=True)

KIB, MIB, GIB = 2**10, 2**20, 2**30


@pytest.fixture
def tus(client):
    return Sender(client)


@pytest.fixture
def leave(settings, free):
    """Lets uploads take so many more bytes of the disk."""
    return lambda usable_bytes: free(settings.BMAT_MIN_FREE_BYTES + usable_bytes)


def size_of(home):
    """How long the file of the only upload is, which is what it has reserved."""
    return (home / "uploads" / str(Upload.objects.get().pk)).stat().st_size


def test_an_upload_begins_where_there_is_room_for_it_and_its_result(tus, leave):
    leave(2 * GIB)

    refused = tus.create(GIB + 1)

    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert tus.create(GIB).status_code == 201


def test_strangers_who_bring_nothing_hold_nothing(client, tus, leave):
    leave(2 * GIB)

    assert [tus.create(GIB).status_code for _ in range(20)] == [201] * 20

    form = {"input_file": SimpleUploadedFile("plays.csv", b"x" * MIB)}
    assert client.post("/api/reports/", form).status_code == 201


def test_strangers_hold_little_more_than_they_bring(tus, leave):
    leave(2 * GIB)
    for _ in range(20):
        tus.patch(tus.created(GIB // 2), 0, b"x" * KIB)

    assert tus.create(GIB - MIB).status_code == 201


def test_an_upload_that_is_half_here_ends_whoever_comes_meanwhile(tus, leave):
    leave(4 * MIB)
    url, other = tus.created(MIB), tus.created(KIB)
    tus.patch(url, 0, b"x" * (MIB // 2))
    leave(MIB // 2)

    assert tus.patch(other, 0, b"x" * KIB).status_code == 507
    assert tus.patch(url, MIB // 2, b"x" * (MIB // 2))["Bmat-Report"]


def test_one_that_has_begun_waits_for_room_with_what_it_has(tus, leave):
    leave(4 * MIB)
    url = tus.created(MIB)
    tus.patch(url, 0, b"x" * KIB)
    leave(0)

    assert tus.patch(url, KIB, b"x" * (MIB // 2)).status_code == 507
    leave(4 * MIB)
    assert tus.head(url)["Upload-Offset"] == str(KIB)
    assert tus.patch(url, KIB, b"x" * (MIB // 2)).status_code == 204


def test_the_results_of_what_has_come_are_counted(tus, leave):
    leave(8 * MIB)
    tus.whole(b"x" * MIB, report="no")

    assert tus.create(4 * MIB).status_code == 507
    assert tus.create(3 * MIB).status_code == 201


def test_a_length_that_comes_later_needs_room(tus, leave):
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1"))
    leave(GIB)

    assert tus.patch(url, 0, b"x", Upload_Length=str(GIB)).status_code == 507


def test_a_length_that_comes_later_gives_back_what_is_not_needed(tus, home):
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1", Upload_Metadata="report bm8="))
    tus.patch(url, 0, b"x" * KIB)
    assert size_of(home) == 3 * KIB

    tus.patch(url, KIB, b"x", Upload_Length=str(KIB + 1))

    assert size_of(home) == KIB + 1


def test_room_that_the_system_does_not_give_is_none(tus, monkeypatch):
    def too_large(*_):
        raise OSError(27, "File too large")

    monkeypatch.setattr(os, "truncate", too_large)
    url = tus.created(10)

    assert tus.patch(url, 0, b"x").status_code == 507
    assert tus.head(url)["Upload-Offset"] == "0"
