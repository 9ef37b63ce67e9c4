"""Things that tasks borrow, and leave to the next task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """Things that tasks borrow and give back; as many as there are at work at a time.

    `kind` says which ones are alike.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._free: dict[object, list[T]] = {}

    def take(self, kind: object, make: Callable[[], T]) -> T:
        with self._lock:
            free = self._free.get(kind)
            if free:
                return free.pop()
        return make()

    def give_back(self, kind: object, thing: T) -> None:
        with self._lock:
            self._free.setdefault(kind, []).append(thing)

    @contextmanager
    def borrow(self, kind: object, make: Callable[[], T]) -> Iterator[T]:
        """Lends one for the block. What an error has left in an unknown state does not return."""
        thing = self.take(kind, make)
        yield thing
        self.give_back(kind, thing)

    def clear(self) -> None:
        with self._lock:
            self._free.clear()
