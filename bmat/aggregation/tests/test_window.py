"""The window through which readers see a text that is read forward."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from bmat.aggregation.progress import Stopped
from bmat.aggregation.source.window import Released, Window

MIB = 2**20


@pytest.fixture
def goes_on() -> Event:
    return Event()


@pytest.fixture
def window(goes_on: Event) -> Generator[Window, None, None]:
    """Four chunks of 1 MiB. The last one is awaited until the text `goes_on`."""

    def chunks() -> Generator[bytes, None, None]:
        yield from (bytes([number]) * MIB for number in range(3))
        while not goes_on.wait(0.05):
            yield b""
        yield b"\3" * MIB

    window = Window(chunks, lambda: 0.5, b"")
    window.start()
    yield window
    goes_on.set()
    window.close()


def test_readers_wait_for_what_has_not_come_and_do_nothing_meanwhile(
    window: Window, goes_on: Event
) -> None:
    window.wait_for(3 * MIB)
    with ThreadPoolExecutor(3) as readers:
        waiting = [readers.submit(window.read, 1, place * MIB - 1) for place in (4, 4, 4)]
        time.sleep(0.1)
        before = time.process_time()
        time.sleep(0.5)
        spent = time.process_time() - before
        assert not any(reader.done() for reader in waiting)
        goes_on.set()
        assert [reader.result(timeout=5) for reader in waiting] == [b"\3"] * 3
    assert spent < 0.1


def test_a_reader_is_woken_by_what_it_waits_for_whoever_waits_beside_it(
    window: Window, goes_on: Event
) -> None:
    with ThreadPoolExecutor(2) as readers:
        late = readers.submit(window.read, 1, 4 * MIB - 1)
        assert readers.submit(window.read, 1, 2 * MIB).result(timeout=5) == b"\2"
        goes_on.set()
        assert late.result(timeout=5) == b"\3"


def test_an_error_of_the_input_is_that_of_every_reader() -> None:
    def chunks() -> Generator[bytes, None, None]:
        yield b"abc"
        raise OSError("it broke")

    window = Window(chunks, lambda: None, b"")
    window.start()
    assert window.read(3, 0) == b"abc"
    for _ in range(2):
        with pytest.raises(OSError, match="it broke"):
            window.read(1, 3)
    assert window.read(3, 0) == b"abc"


def test_readers_share_one_text_whoever_puts_it_in() -> None:
    text = bytes(range(256)) * 4096
    window = Window(lambda: (text[at : at + 1000] for at in range(0, MIB, 1000)), lambda: 1.0, b"")
    window.start()
    with ThreadPoolExecutor(4) as readers:
        read = list(readers.map(lambda at: window.read(512, at), range(0, MIB, 512)))
    assert b"".join(read) == text and not window.wait_for(MIB + 1)


def test_what_is_released_makes_room_and_is_gone(window: Window) -> None:
    window.wait_for(2 * MIB)
    window.release(MIB)
    assert window.read(1, 2 * MIB) == b"\2"
    with pytest.raises(Released):
        window.read(1, 0)


def test_nobody_waits_any_longer_once_it_is_stopped(window: Window) -> None:
    with ThreadPoolExecutor(2) as readers:
        waiting = [readers.submit(window.read, 1, 4 * MIB - 1) for _ in range(2)]
        time.sleep(0.1)
        window.stop()
        for reader in waiting:
            with pytest.raises(Stopped):
                reader.result(timeout=5)


def test_a_text_that_nobody_came_to_read_is_closed_unopened() -> None:
    opened: list[int] = []

    def chunks() -> Generator[bytes, None, None]:
        opened.append(1)
        yield b""

    window = Window(chunks, lambda: None, b"")
    window.close()
    with pytest.raises(Stopped):
        window.check()
    assert opened == []
