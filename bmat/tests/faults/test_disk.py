"""A disk that fills up: under an upload, under a worker's temporary files, and under its output."""

import socket
from contextlib import ExitStack

import pytest

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.samples import LongSample
from bmat.tests.faults.service import FaultyService
from bmat.tests.live.multipart import AFTER, before, request_head
from bmat.tests.live.processes import wait_until

MIB = 2**20
DISK_SECONDS, ANSWER_SECONDS = 20.0, 20.0
HEADER, REST = b"Song,Date,Number of Plays\n", b"Umbrella,2020-01-01,1\n" * (4 * MIB // 22)


@pytest.mark.quick
def test_it_refuses_an_upload_under_which_the_disk_fills_up(
    service: FaultyService, a_round: Round
) -> None:
    a_round.may_fail_with = {service.disk.error_code}
    a_round.long_under_way()
    content_length = len(before("x.csv") + HEADER + REST + AFTER)
    with a_round.fault(), socket.create_connection(("127.0.0.1", service.web_port)) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.sendall(
            request_head(service.web_port, content_length) + before("x.csv") + HEADER
        )
        wait_until(lambda: any((service.home / "uploads").iterdir()), DISK_SECONDS, "the upload")
        with service.disk.full():
            connection.sendall(REST + AFTER)
            answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 507 "), answer
    a_round.ends_well()


def test_it_fails_a_report_whose_temporary_files_find_no_room(
    service: FaultyService, a_round: Round
) -> None:
    a_round.may_fail_with = {service.disk.error_code}
    a_round.long_under_way()
    with a_round.fault(), ExitStack() as disk:
        with service.nobody_listening():
            answer = a_round.uploads.post_long(LongSample(copies=20, encoding="utf-16"))
            disk.enter_context(service.disk.full())
        pid = answer.json()["pid"]
        wait_until(lambda: a_round.row(pid).ended, DISK_SECONDS, "the report to fail")
    assert a_round.row(pid).error_code == service.disk.error_code
    a_round.ends_well()


def test_it_fails_a_report_whose_output_finds_no_room(
    service: FaultyService, a_round: Round
) -> None:
    a_round.may_fail_with = {service.disk.error_code}
    pid = a_round.long_under_way()
    with a_round.fault(), service.disk.full():
        wait_until(lambda: a_round.row(pid).ended, DISK_SECONDS * 3, "the report to fail")
    assert a_round.row(pid).error_code == service.disk.error_code
    a_round.ends_well()
