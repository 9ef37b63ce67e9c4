"""A disk that is full, or nearly so."""

import errno

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile

from bmat.api.errors import told_as

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
