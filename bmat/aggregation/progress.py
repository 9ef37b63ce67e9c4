"""How far a run is, told to whoever asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["reading", "merging", "writing"]

# The share of a whole run that reading takes, about.
READING_SHARE = 0.6


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

    def update(self, share_read: float, share_written: float, rows_read: int) -> None:
        """The share of the input that has been read, and of the parts that are written."""
        fraction = READING_SHARE * share_read + (1.0 - READING_SHARE) * share_written
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
