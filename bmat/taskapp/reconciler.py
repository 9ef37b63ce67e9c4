"""The reconciler inside every worker: at its start, on each tick of beat, and by itself where beat
is silent.

It runs in the worker's own process, not in its pool: a pool that is busy for hours must not keep it
from noticing what another worker has left behind.
"""

import threading
import time
from typing import Any

from celery import bootsteps
from django.conf import settings
from kombu import Consumer, Exchange, Queue
from kombu.common import ignore_errors

from bmat.api.services.reconcile import reconcile_where_possible
from bmat.taskapp import queues

# After this many missed ticks, a worker no longer waits for beat.
MISSED_TICKS = 2


class Reconciler(bootsteps.StartStopStep):
    """Part of a worker. Each tick is a thread of its own: one that fails, or hangs on a database
    that does not answer, stops neither the worker nor the ticks after it.
    """

    # The pool's processes are forked first, while there is no thread that could hold a lock.
    requires = ("celery.worker.components:Pool", "celery.worker.components:Timer")

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        worker.reconciler = self
        self._last_heard = time.monotonic()
        self._thread: threading.Thread | None = None
        self._own_clock: Any = None

    def start(self, parent: Any) -> None:
        self.tick()
        self._own_clock = parent.timer.call_repeatedly(
            settings.BMAT_RECONCILE_SECONDS, self.tick_where_beat_is_silent
        )

    def stop(self, parent: Any) -> None:
        if self._own_clock is not None:
            self._own_clock.cancel()

    def terminate(self, parent: Any) -> None:
        self.stop(parent)

    def tick(self) -> None:
        """Reconciles, unless that is still under way."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=reconcile_where_possible, name="reconciler", daemon=True
            )
            self._thread.start()

    def heard_from_beat(self) -> None:
        """A tick of beat."""
        self._last_heard = time.monotonic()
        self.tick()

    def tick_where_beat_is_silent(self) -> None:
        """Reconciles where beat has not asked for it for a while: it is dead, or the broker is.
        From then on it does so at each tick of its own, until beat is heard again.
        """
        silent_seconds = time.monotonic() - self._last_heard
        if silent_seconds > MISSED_TICKS * settings.BMAT_RECONCILE_SECONDS:
            self.tick()


class TickConsumer(bootsteps.ConsumerStep):
    """Hears the ticks of beat, on a channel of the worker's own connection to the broker."""

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._reconciler: Reconciler = consumer.controller.reconciler

    def get_consumers(self, channel: Any) -> list[Consumer]:
        # Not taken from the app's queues: those are what a pool consumes.
        queue = Queue(queues.RECONCILE, Exchange(queues.RECONCILE), queues.RECONCILE)
        return [Consumer(channel, [queue], callbacks=[self.heard], accept=["json"])]

    def stop(self, c: Any) -> None:
        # Celery's own asks the connection which errors to pass over: it is gone by the time that
        # a worker notices the loss of its broker.
        for consumer in self.consumers or []:
            ignore_errors(c, consumer.cancel)
            # The stubs do not know that this channel is one.
            ignore_errors(c, consumer.channel.close)  # type: ignore[union-attr]
        self.consumers = None

    def shutdown(self, c: Any) -> None:
        self.stop(c)

    def heard(self, body: Any, message: Any) -> None:
        message.ack()
        self._reconciler.heard_from_beat()
