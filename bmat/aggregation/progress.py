"""How far a run is, told to whoever asked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Stage = Literal["reading", "merging", "writing"]

# The share of a whole run that reading takes, about.
READING_SHARE = 0.6
# The share that it takes to bring inputs into files of UTF-8, where one has to be.
BRINGING_SHARE = 0.2
# A stream does not say how long it is: its share rises with the bytes, half of it with so many.
HALF_A_STREAM_BYTES = 2**28


@dataclass(frozen=True)
class Progress:
    """`fraction` of the whole run, 0 to 1, never falling; `rows_read` so far, rejected ones
    among them.
    """

    stage: Stage
    fraction: float
    rows_read: int


class ProgressMeter:
    """Passes the progress of a run on, so that it never falls.

    The listener may raise: its exception ends the run and comes out of `aggregate`.
    """

    def __init__(self, listener: Callable[[Progress], None] | None) -> None:
        self._listener = listener
        self._last = Progress("reading", 0.0, 0)
        self._start = 0.0

    def bring(self, done_bytes: int, total_bytes: int | None) -> None:
        """So much of an input has been brought into a file; the total is None where it is not
        known.
        """
        of_bytes = done_bytes + HALF_A_STREAM_BYTES if total_bytes is None else total_bytes
        share = min(done_bytes / max(of_bytes, 1), 1.0)
        self._last = replace(self._last, fraction=max(self._start, BRINGING_SHARE * share))
        self._start = self._last.fraction
        self.tell()

    def update(self, share_read: float, share_written: float, rows_read: int) -> None:
        """The share of the input that has been read, and of the parts that are written."""
        share = READING_SHARE * share_read + (1.0 - READING_SHARE) * share_written
        fraction = self._start + (1.0 - self._start) * share
        stage: Stage = "reading"
        if share_read >= 1.0:
            stage = "writing" if share_written else "merging"
        self._last = Progress(
            stage,
            max(self._last.fraction, min(fraction, 1.0)),
            max(self._last.rows_read, rows_read),
        )
        self.tell()

    def tell(self) -> None:
        """Say the last news again, so that the listener can end the run."""
        if self._listener is not None:
            self._listener(self._last)
