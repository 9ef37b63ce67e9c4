"""The text of an input that is read forward: a window that moves over it, in memory.

One thread puts the text in, chunk by chunk, and waits while the window is full; the readers ask for
bytes by their place in the text, and wait until these have come. What no reader needs any more is
released.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from threading import Condition, RLock

from bmat.aggregation.progress import HALF_A_STREAM_BYTES, Stopped

# How long a thread waits before it looks whether the run has ended.
SECONDS_BETWEEN_LOOKS = 0.1

Chunks = Callable[[], Generator[bytes, None, None]]


def chunks_of(text: bytes) -> Generator[bytes, None, None]:
    yield text


class Released(Exception):
    """Bytes were asked for that are not held any more."""


class Window:
    """A text, of which `chunks` gives the bytes, from the first on; an empty chunk says that the
    next one is awaited still. `share` tells how much of the input has been read, 0 to 1, where that
    is known. `head` are its first bytes, as many as there were need for, and for which there was
    room. `begin` are first bytes that stay.
    """

    def __init__(
        self, chunks: Chunks, share: Callable[[], float | None], head: bytes, begin: bytes = b""
    ) -> None:
        self.head = head
        self._begin = begin
        self._open = chunks
        self._share = share
        self._lock = RLock()
        # What the thread waits for that puts the text in, and what its readers wait for.
        self._has_room, self._has_come = Condition(self._lock), Condition(self._lock)
        self._starts: list[int] = []
        self._chunks: list[bytes] = []
        self._came = self._wanted = self._released = 0
        # Up to where a reader waits that is to be woken next.
        self._awaited = sys.maxsize
        self._total: int | None = None
        self._is_closed = False
        self._capacity = 0
        self._pool: ThreadPoolExecutor | None = None
        self._feeding: Future[None] | None = None
        self._pulled: Generator[bytes, None, None] | None = None

    @classmethod
    def of(cls, text: bytes) -> "Window":
        """All of a text."""
        window = cls(lambda: chunks_of(text), lambda: 1.0, text)
        window.start(len(text), has_thread=False)
        window.wait_for(len(text) + 1)
        return window

    @property
    def is_whole(self) -> bool:
        """Whether all of the text has come."""
        return self._total is not None

    @property
    def size(self) -> int:
        """How many bytes the text has; past any other number until that is known."""
        return sys.maxsize if self._total is None else self._total

    @property
    def share(self) -> float:
        """How much of the text has come, from 0 to 1, about."""
        if self.is_whole:
            return 1.0
        share = self._share()
        return self._came / (self._came + HALF_A_STREAM_BYTES) if share is None else share

    def start(self, capacity: int, *, has_thread: bool) -> None:
        """Begin to read: in a thread of its own, which holds about `capacity` bytes at most, or in
        those that wait for the bytes.
        """
        self.head = b""
        self._capacity = capacity
        if has_thread:
            self._pool = ThreadPoolExecutor(1)
            self._feeding = self._pool.submit(self._feed)
            self._feeding.add_done_callback(lambda done: self._notify())
        else:
            self._pulled = self._open()

    def stop(self) -> None:
        """Whoever waits for bytes, or for room, is to wait no longer."""
        with self._lock:
            self._is_closed = True
            self._has_room.notify()
            self._wake_readers()

    def check(self) -> None:
        """Raises Stopped where nobody is to wait any longer."""
        if self._is_closed:
            raise Stopped

    def close(self) -> None:
        """End the thread, and wait for that. What has come stays. Nobody may be reading."""
        self.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        if self._pulled is not None:
            self._pulled.close()

    def _feed(self) -> None:
        with closing(self._open()) as chunks:
            for chunk in chunks:
                if self._is_closed:
                    return
                if chunk:
                    self._put(chunk)
        self._end()

    def _put(self, chunk: bytes) -> None:
        with self._lock:
            while (
                self._feeding is not None
                and not self._is_closed
                and self._came >= max(self._released + self._capacity, self._wanted)
            ):
                self._has_room.wait()
            self._starts.append(self._came)
            self._chunks.append(chunk)
            self._came += len(chunk)
            if self._came >= self._awaited:
                self._wake_readers()

    def _end(self) -> None:
        with self._lock:
            self._total = self._came
            self._wake_readers()

    def _wake_readers(self) -> None:
        """By who has the lock."""
        self._awaited = sys.maxsize
        self._has_come.notify_all()

    def _notify(self) -> None:
        with self._lock:
            self._wake_readers()

    def wait_for(self, stop: int) -> bool:
        """Wait until the bytes up to `stop` have come. False: the text ends before. Raises what the
        input raises, and Stopped.
        """
        while True:
            with self._lock:
                if stop > self._wanted:
                    self._wanted = stop
                    self._has_room.notify()
                if self._came < stop and self._feeding is not None and self._total is None:
                    self._awaited = min(self._awaited, stop)
                    self._has_come.wait(SECONDS_BETWEEN_LOOKS)
                if self._came >= stop or self._total is not None:
                    return self._came >= stop
                if self._is_closed:
                    raise Stopped
                if self._pulled is not None:
                    self._pull()
            if self._feeding is not None and self._feeding.done():
                # Raises what has ended it; there may be no need for more.
                self._feeding.result()

    def _pull(self) -> None:
        """Put one more chunk in, by this thread."""
        assert self._pulled is not None
        chunk = next(self._pulled, None)
        if chunk is None:
            self._end()
        elif chunk:
            self._put(chunk)

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill `view` with the bytes from `offset` on; with fewer where the text ends. Waits, until
        it is known, too, whether the text goes on behind them. Raises Released.
        """
        self.wait_for(offset + len(view) + 1)
        done = 0
        for piece in self._pieces(offset, len(view)):
            view[done : done + len(piece)] = piece
            done += len(piece)
        return done

    def read(self, count: int, offset: int) -> bytes:
        """Up to `count` bytes from `offset` on. Raises Released."""
        if offset + count <= len(self._begin):
            return self._begin[offset : offset + count]
        self.wait_for(offset + count)
        return b"".join(self._pieces(offset, count))

    def _pieces(self, offset: int, count: int) -> list[memoryview]:
        """The bytes from `offset` on, where they are held."""
        pieces: list[memoryview] = []
        with self._lock:
            if offset < self._released:
                raise Released
            number = bisect_right(self._starts, offset) - 1
            while count and 0 <= number < len(self._chunks):
                at = offset - self._starts[number]
                piece = memoryview(self._chunks[number])[at : at + count]
                pieces.append(piece)
                offset, count, number = offset + len(piece), count - len(piece), number + 1
        return pieces

    def release(self, stop: int) -> None:
        """The bytes before `stop` are not needed any more."""
        with self._lock:
            if stop <= self._released:
                return
            self._released = stop
            count = max(bisect_right(self._starts, stop) - 1, 0)
            del self._starts[:count], self._chunks[:count]
            self._has_room.notify()

    def keep_end(self, count: int) -> None:
        """Of a text that has come whole, hold the last bytes alone."""
        start = max(self._released, self._came - count)
        text = self.read(count, start)
        self._starts, self._chunks, self._released = [start], [text], start
