"""A folder whose files are submitted, each once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bmat.client import ApiError, Client, FileBusy, FileChanged
from bmat.client.tests.service import TOKEN, Service
from bmat.client.watch import Event, Look, Watcher

PLAYS = b"Song,Date,Number of Plays\nUmbrella,2020-01-02,%d\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


class Clock:
    """A time that passes when it is told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("bmat.client.watch.time", clock)
    return clock


Start = Callable[..., Watcher]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def start(client: Client, folder: Path, events: list[Event], clock: Clock) -> Iterator[Start]:
    """Starts a watcher, which has looked once."""

    def started(pattern: str = "*") -> Watcher:
        watcher = Watcher(client, folder, {"plays": "one"}, Look(pattern), events.append)
        with pytest.raises(KeyboardInterrupt):
            watcher.run()
        return watcher

    yield started


def look_again(watcher: Watcher, clock: Clock, seconds: float = 5.0) -> None:
    clock.now += seconds
    watcher.look()


def sent(service: Service) -> list[bytes]:
    return [contents[0] for contents in service.contents.values()]


def test_it_submits_a_file_that_rests_once(
    service: Service, folder: Path, start: Start, clock: Clock, events: list[Event]
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    watcher = start()
    look_again(watcher, clock, 4.9)
    assert sent(service) == []
    look_again(watcher, clock, 0.1)
    look_again(watcher, clock)
    assert sent(service) == [PLAYS % 1]
    assert service.forms == [{"plays": ["one"]}]
    assert events == [{"file": str(folder / "a.csv"), "pid": next(iter(service.reports))}]


def test_it_waits_until_a_file_grows_no_more(
    service: Service, folder: Path, start: Start, clock: Clock
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    watcher = start()
    for number in range(3):
        clock.now += 4
        with (folder / "a.csv").open("ab") as file:
            file.write(b"Umbrella,2020-01-03,%d\n" % number)
        watcher.look()
    assert sent(service) == []
    look_again(watcher, clock)
    assert len(sent(service)) == 1


def test_it_submits_nothing_again_after_a_restart(
    service: Service, folder: Path, start: Start, clock: Clock
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    look_again(start(), clock)
    watcher = start()
    (folder / "b.csv").write_bytes(PLAYS % 2)
    watcher.look()
    look_again(watcher, clock)
    assert sent(service) == [PLAYS % 1, PLAYS % 2]


def test_other_content_is_submitted_and_another_time_is_not(
    service: Service, folder: Path, start: Start, clock: Clock
) -> None:
    path = folder / "a.csv"
    path.write_bytes(PLAYS % 1)
    watcher = start()
    look_again(watcher, clock)
    os.utime(path, ns=(1, 1))
    watcher.look()
    look_again(watcher, clock)
    assert len(sent(service)) == 1
    path.write_bytes(PLAYS % 2)
    watcher.look()
    look_again(watcher, clock)
    assert sent(service) == [PLAYS % 1, PLAYS % 2]


def test_it_makes_one_report_where_it_ended_before_it_could_say_so(
    service: Service,
    folder: Path,
    start: Start,
    clock: Clock,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    submit = client.submit

    def submit_and_end(*arguments: object, **named: object) -> None:
        submit(*arguments, **named)  # type: ignore[arg-type]  # those of the watcher
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "submit", submit_and_end)
    with pytest.raises(KeyboardInterrupt):
        look_again(start(), clock)
    monkeypatch.setattr(client, "submit", submit)
    look_again(start(), clock)
    assert sent(service) == [PLAYS % 1]
    assert len(service.asked("POST")) == 2


@pytest.mark.parametrize(
    "name", [".hidden", "a.csv.part", "b.TMP", "c.csv~", "~$d.csv", "e.crdownload", "f.filepart"]
)
def test_it_passes_over_what_is_not_finished(
    service: Service, folder: Path, start: Start, clock: Clock, name: str
) -> None:
    (folder / name).write_bytes(PLAYS % 1)
    look_again(start(), clock)
    assert sent(service) == []


def test_it_passes_over_what_is_no_file_of_the_pattern(
    service: Service, folder: Path, start: Start, clock: Clock
) -> None:
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to(folder / "nowhere")
    (folder / "empty.csv").touch()
    (folder / "notes.txt").write_text("not this one")
    look_again(start(pattern="*.csv"), clock)
    assert sent(service) == []


@pytest.mark.parametrize("error", [FileChanged, FileBusy, FileNotFoundError])
def test_it_looks_again_at_a_file_that_does_not_rest(
    service: Service,
    folder: Path,
    start: Start,
    clock: Clock,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    watcher = start()

    def refuse(*arguments: object, **named: object) -> None:
        raise error

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(client, "submit", refuse)
        look_again(watcher, clock)
    watcher.look()
    assert service.reports == {}
    look_again(watcher, clock)
    assert sent(service) == [PLAYS % 1]


def test_it_leaves_a_file_alone_that_the_service_refuses(
    service: Service, folder: Path, start: Start, clock: Clock, events: list[Event]
) -> None:
    for name in ("a.csv", "b.csv"):
        (folder / name).write_bytes(PLAYS % 1)
    watcher = start()
    body = {"code": "upload_too_large", "message": "It is too large."}
    service.fail("POST", status=413, body=body)
    look_again(watcher, clock)
    look_again(watcher, clock)
    told = {"code": "upload_too_large", "message": "It is too large."}
    assert events[0] == {"file": str(folder / "a.csv"), "error": told}
    assert len(service.asked("POST")) == 2
    look_again(start(), clock)
    assert len(service.reports) == 2


def test_it_ends_where_the_service_refuses_all(
    service: Service, folder: Path, start: Start, clock: Clock
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    watcher = start()
    service.asks_for_token = True
    with pytest.raises(ApiError, match="not_authenticated") as refused:
        look_again(watcher, clock)
    assert TOKEN not in str(refused.value)


def test_it_tells_of_a_file_that_it_cannot_read(
    folder: Path, start: Start, clock: Clock, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)
    watcher = start()

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied", "a.csv")

    monkeypatch.setattr("bmat.client.client.Source.of", refuse)
    look_again(watcher, clock)
    assert events[0]["error"]["code"] == "not_readable"


def test_one_process_watches_a_folder(
    service: Service, client: Client, folder: Path, start: Start, clock: Clock
) -> None:
    (folder / "a.csv").write_bytes(PLAYS % 1)

    class Intruder(Watcher):
        def look(self) -> None:
            other = Watcher(client, folder, {}, Look(), print)
            with pytest.raises(FileBusy, match="another process is at it"):
                other.run()

    with pytest.raises(KeyboardInterrupt):
        Intruder(client, folder, {}, Look(), print).run()


def test_it_watches_folders_that_are_there(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Watcher(client, tmp_path / "nowhere", {}, Look(), print)
