"""How far a run is, told to whoever asked."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal

Stage = Literal["reading", "merging", "writing"]

# The share of the whole run at which each stage begins, and that at which it ends.
STAGE_SPANS: dict[Stage, tuple[float, float]] = {
    "reading": (0.0, 0.9),
    "merging": (0.9, 0.9),
    "writing": (0.9, 1.0),
}


@dataclass(frozen=True)
class Progress:
    """`fraction` of the whole run, 0 to 1, never falling; `rows_read` so far, rejected ones
    among them.
    """

    stage: Stage
    fraction: float
    rows_read: int


class ProgressMeter:
    """Adds up what the threads of a run report, and passes it on, one call at a time.

    The listener may raise: its exception ends the run and comes out of `aggregate`.
    """

    def __init__(self, listener: Callable[[Progress], None] | None, total_bytes: int) -> None:
        self._listener = listener
        self._total_bytes = max(total_bytes, 1)
        self._lock = Lock()
        self._bytes_read = 0
        self._rows_read = 0

    def read(self, bytes_read: int, rows_read: int) -> None:
        """Another `bytes_read` bytes with `rows_read` rows have been read."""
        with self._lock:
            self._bytes_read += bytes_read
            self._rows_read += rows_read
            self._tell("reading", min(self._bytes_read / self._total_bytes, 1.0))

    def reach(self, stage: Stage, share: float) -> None:
        """`stage` is done to `share`, 0 to 1."""
        with self._lock:
            self._tell(stage, share)

    def _tell(self, stage: Stage, share: float) -> None:
        if self._listener is not None:
            begin, end = STAGE_SPANS[stage]
            self._listener(Progress(stage, begin + (end - begin) * share, self._rows_read))
