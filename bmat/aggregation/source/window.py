"""The text of an input that is read forward: a window that moves over it, in memory.

The readers ask for bytes by their place in the text. One who asks for some that have not come puts
the next chunks in himself: read, unpacked and decoded in his own thread, by one reader at a time.
So the processors are shared out by what there is to do, and bytes are used while they are in the
cache. What no reader needs any more is released.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Generator
from threading import Lock

from bmat.aggregation.progress import HALF_A_STREAM_BYTES, Stopped

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
        # Who puts in the next chunk, and who changes or looks at what is held.
        self._pulling, self._holding = Lock(), Lock()
        self._starts: list[int] = []
        self._chunks: list[bytes] = []
        self._came = self._released = 0
        self._total: int | None = None
        self._error: BaseException | None = None
        self._is_closed = False
        self._pulled: Generator[bytes, None, None] | None = None

    @classmethod
    def of(cls, text: bytes) -> "Window":
        """All of a text."""
        window = cls(lambda: chunks_of(text), lambda: 1.0, text)
        window.start()
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

    def start(self) -> None:
        """From now on bytes may be asked for."""
        self.head = b""
        self._pulled = self._open()

    def stop(self) -> None:
        """Whoever waits for bytes is to wait no longer."""
        self._is_closed = True

    def check(self) -> None:
        """Raises Stopped where nobody is to wait any longer."""
        if self._is_closed:
            raise Stopped

    def close(self) -> None:
        """No more comes; what has come stays."""
        self.stop()
        with self._pulling:
            if self._pulled is not None:
                self._pulled.close()

    def wait_for(self, stop: int) -> bool:
        """Have the bytes up to `stop` come. False: the text ends before. Raises what the input
        raises, and Stopped.
        """
        while not self._has_come(stop):
            self.check()
            with self._pulling:
                # Most likely, another reader has put them in meanwhile.
                if not self._has_come(stop):
                    self._pull()
        return self._came >= stop

    def _has_come(self, stop: int) -> bool:
        is_there = self._came >= stop or self._total is not None
        if self._error is not None and not is_there:
            raise self._error
        return is_there

    def _pull(self) -> None:
        """Put one more chunk in. An error of the input is every reader's."""
        assert self._pulled is not None
        try:
            chunk = next(self._pulled, None)
        except BaseException as error:
            self._error = error
            raise
        with self._holding:
            if chunk is None:
                self._total = self._came
            elif chunk:
                self._starts.append(self._came)
                self._chunks.append(chunk)
                self._came += len(chunk)

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
        with self._holding:
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
        with self._holding:
            if stop <= self._released:
                return
            self._released = stop
            count = max(bisect_right(self._starts, stop) - 1, 0)
            del self._starts[:count], self._chunks[:count]

    def keep_end(self, count: int) -> None:
        """Of a text that has come whole, hold the last bytes alone."""
        start = max(self._released, self._came - count)
        text = self.read(count, start)
        self._starts, self._chunks, self._released = [start], [text], start
