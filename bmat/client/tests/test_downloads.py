"""Files of a report: whole in their place, or not there."""

import io
import os
from pathlib import Path
from threading import Thread

import pytest

from bmat.client import ApiError, ClientError, FileBusy, NoService, Unreachable
from bmat.client.client import Client
from bmat.client.retries import RetryPolicy
from bmat.client.tests.service import REJECTS, TOTALS, Service


@pytest.fixture
def pid(service: Service) -> str:
    return str(service.add_report("plays.csv", [])["pid"])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"home"}


def test_it_puts_the_file_in_its_place(client: Client, pid: str, tmp_path: Path) -> None:
    received = []
    target = tmp_path / "totals.csv"
    target.write_text("an earlier one")
    client.download(pid, target, on_received=lambda *told: received.append(told))
    assert target.read_bytes() == TOTALS
    assert names(tmp_path) == {"totals.csv"}
    assert received[-1] == (len(TOTALS), len(TOTALS))


def test_it_fetches_rejects(client: Client, pid: str, tmp_path: Path) -> None:
    client.rejects(pid, tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_bytes() == REJECTS


def test_it_goes_on_where_the_connection_broke(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    service.fail("GET", "output", cut_after_bytes=100_000, times=3)
    client.download(pid, tmp_path / "totals.csv")
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
    ranges = [asked.get("Range") for asked in service.asked("GET", "output")]
    assert ranges == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def break_off(service: Service, pid: str, target: Path) -> None:
    """A run that ends in the middle of the download."""
    service.fail("GET", "output", cut_after_bytes=100_000)
    with Client(service.url, policy=RetryPolicy(0.0)) as hasty, pytest.raises(Unreachable):
        hasty.download(pid, target)
    service.requests.clear()


def test_it_goes_on_where_an_earlier_run_was(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    break_off(service, pid, tmp_path / "totals.csv")
    assert {name[-5:] for name in names(tmp_path)} == {".part"}
    client.download(pid, tmp_path / "totals.csv")
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
    assert [asked.get("Range") for asked in service.asked("GET")] == [None, "bytes=100000-"]
    assert names(tmp_path) == {"totals.csv"}


def test_it_does_not_go_on_with_another_file(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    break_off(service, pid, tmp_path / "totals.csv")
    service.etag = '"totals-2"'
    client.download(pid, tmp_path / "totals.csv")
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
    assert names(tmp_path) == {"totals.csv"}


def test_a_file_that_changes_meanwhile_is_fetched_anew(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    service.fail("GET", "output", cut_after_bytes=100_000)

    def change(here: int, total: int | None) -> None:
        service.etag = '"totals-2"'

    client.download(pid, tmp_path / "totals.csv", on_received=change)
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
    assert names(tmp_path) == {"totals.csv"}


def part_of(pid: str, target: Path) -> Path:
    from bmat.client.downloads import Download

    wanted = Download(f"reports/{pid}/output", {"format": "csv"})
    return wanted.part_of(target, '"totals-1"')


def test_a_part_that_is_whole_is_only_renamed(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    part_of(pid, tmp_path / "totals.csv").write_bytes(TOTALS)
    client.download(pid, tmp_path / "totals.csv")
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
    assert len(service.requests) == 1


def test_a_part_that_is_too_long_is_fetched_anew(client: Client, pid: str, tmp_path: Path) -> None:
    part_of(pid, tmp_path / "totals.csv").write_bytes(TOTALS + b"more")
    client.download(pid, tmp_path / "totals.csv")
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS


def test_without_an_etag_it_begins_again(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    service.fail("GET", "output", cut_after_bytes=100_000)
    client.download(pid, tmp_path / "totals.csv", excel_safe=True)
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
    assert not any("Range" in asked for asked in service.asked("GET"))


def test_it_waits_for_a_format_that_is_written_first(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    service.fail("GET", "output", status=202, headers={"Retry-After": "0"}, times=2)
    client.download(pid, tmp_path / "totals.parquet", format="parquet")
    assert (tmp_path / "totals.parquet").read_bytes() == TOTALS
    assert "format=parquet" in service.requests[-1][1]


def test_two_downloads_to_one_place_do_not_mix(client: Client, pid: str, tmp_path: Path) -> None:
    def download_again(here: int, total: int | None) -> None:
        with pytest.raises(FileBusy, match="totals.csv: another process is at it"):
            client.download(pid, tmp_path / "totals.csv")

    client.download(pid, tmp_path / "totals.csv", on_received=download_again)
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS


def test_it_tells_why_there_is_no_file(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    body = {"code": "report_failed", "message": "It has failed."}
    service.fail("GET", "output", status=409, body=body)
    with pytest.raises(ApiError, match="report_failed: It has failed."):
        client.download(pid, tmp_path / "totals.csv")
    assert names(tmp_path) == set()


def test_it_refuses_another_part_than_it_asked_for(
    service: Service, client: Client, pid: str, tmp_path: Path
) -> None:
    headers = {"Content-Range": "bytes 7-9/10"}
    service.fail("GET", "output", status=206, body=b"abc", headers=headers)
    with pytest.raises(NoService, match="another part"):
        client.download(pid, tmp_path / "totals.csv")


def test_it_writes_into_a_stream_what_is_lacking(
    service: Service, client: Client, pid: str
) -> None:
    service.fail("GET", "output", cut_after_bytes=100_000, times=2)
    stream = io.BytesIO()
    client.download(pid, stream)
    assert stream.getvalue() == TOTALS


@pytest.mark.parametrize("excel_safe", [True, False])
def test_it_mixes_no_two_files_in_a_stream(
    service: Service, client: Client, pid: str, excel_safe: bool
) -> None:
    service.fail("GET", "output", cut_after_bytes=100_000)

    def change(here: int, total: int | None) -> None:
        service.etag = '"totals-2"'

    with pytest.raises(ClientError, match="begin again"):
        client.download(pid, io.BytesIO(), excel_safe=excel_safe, on_received=change)


def test_it_writes_into_a_pipe(client: Client, pid: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=client.download, args=(pid, pipe), daemon=True)
    writer.start()
    assert pipe.read_bytes() == TOTALS
    writer.join(10)
    assert names(tmp_path) == {"pipe"}


def test_a_folder_is_no_place_for_a_file(client: Client, pid: str, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        client.download(pid, tmp_path)


def test_it_follows_a_link(client: Client, pid: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "totals.csv")
    client.download(pid, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "totals.csv").read_bytes() == TOTALS
