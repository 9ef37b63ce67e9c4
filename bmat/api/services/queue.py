"""Sending messages, each of which wakes a worker for a report, for a format or for an event that is
to be delivered. None is needed: the reconciler sends another for each report and each event that
waits, and who wants a format asks again.
"""

import logging
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now
from kombu import Connection, Producer
from kombu.exceptions import ChannelError, OperationalError

from bmat.api.models import Delivery, Report
from bmat.taskapp.celery import (
    CONVERT_RESULT,
    DELIVER_EVENT,
    LARGE,
    PROCESS_REPORT,
    SMALL,
    WEBHOOKS,
    app,
)

logger = logging.getLogger(__name__)

BROKER_AWAY = (OperationalError, ChannelError, OSError)
# An upload waits for this connection, so it gives up sooner than a worker's.
TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


class BrokerConnection(threading.local):
    """Each thread's own connection to the broker, which is kept: opening one costs several times
    what a message does. `was_used`: it has carried a message, and may have been closed since.
    """

    connection: Connection
    producer: Producer
    was_used: bool

    def __init__(self) -> None:
        self._prepare()

    def close(self) -> None:
        """Closes the connection; the next message begins with a new one."""
        self.connection.close()
        self._prepare()

    def _prepare(self) -> None:
        # It connects when it is first used.
        self.connection = app.connection_for_write(transport_options=TIMEOUTS)
        self.producer = Producer(self.connection, auto_declare=False)
        self.was_used = False


broker = BrokerConnection()


def in_seconds(seconds: float) -> Any:
    """The database's time in `seconds`, for an UPDATE or INSERT."""
    return Now() + timedelta(seconds=seconds)


def message_sent() -> dict[str, Any]:
    """What a report or an event has that begins to wait, and whose message is sent right after."""
    return {"next_enqueue_at": in_seconds(settings.BMAT_ENQUEUE_AGAIN_SECONDS), "enqueue_count": 1}


def message_due(wait_seconds: float = 0) -> dict[str, Any]:
    """What a report or an event has that waits without a message: a reconciler sends one after that
    time.
    """
    return {"next_enqueue_at": in_seconds(wait_seconds), "enqueue_count": 0}


def enqueue(pid: UUID, input_bytes: int) -> bool:
    """Sends the task, whose id is the pid, to the workers for files of this size. False, and a line
    in the log: the broker cannot be reached, and the reconciler sends it as soon as it can.
    """
    if send(pid, PROCESS_REPORT, [str(pid)], str(pid), queue_for(input_bytes)):
        return True
    Report.objects.queued().filter(pid=pid).update(**message_due())
    return False


def enqueue_conversion(pid: UUID, file_name: str, output_bytes: int) -> bool:
    """Asks the workers for results of this size to write `file_name` beside the report's output.
    False, and a line in the log: the broker cannot be reached.
    """
    task_id = f"{pid}-{file_name}"
    return send(pid, CONVERT_RESULT, [str(pid), file_name], task_id, queue_for(output_bytes))


def enqueue_delivery(delivery_id: UUID) -> bool:
    """Sends the task, whose id is the delivery's. False, and a line in the log: the broker cannot
    be reached, and the reconciler sends it as soon as it can.
    """
    if send(delivery_id, DELIVER_EVENT, [str(delivery_id)], str(delivery_id), WEBHOOKS):
        return True
    Delivery.objects.queued().filter(pk=delivery_id).update(**message_due())
    return False


def send(waiting: UUID, task: str, arguments: list[str], task_id: str, queue: str) -> bool:
    """Sends a message for `waiting`, a report or a delivery. False, and a line in the log: the
    broker cannot be reached.
    """
    was_used = broker.was_used
    try:
        app.send_task(
            task,
            arguments,
            task_id=task_id,
            queue=queue,
            producer=broker.producer,
            retry=not was_used,
        )
    except BROKER_AWAY as error:
        broker.close()
        if was_used:
            # Only a new connection can tell whether the broker is there.
            return send(waiting, task, arguments, task_id, queue)
        what = "delivery" if queue == WEBHOOKS else "report"
        message = "%s %s: it waits, for the broker cannot be reached: %s"
        logger.warning(message, what, waiting, error)
        return False
    broker.was_used = True
    return True


def is_empty(queue: str) -> bool:
    """Whether no message waits in the queue. Leaves no connection open. Raises one of
    BROKER_AWAY.
    """
    with app.connection_for_read(transport_options=TIMEOUTS) as connection:
        try:
            # The stubs do not know its methods.
            channel: Any = connection.default_channel
            # Declares nothing that is not there already, and counts the messages.
            waiting: int = channel.queue_declare(queue).message_count
        except (*connection.connection_errors, *connection.channel_errors) as error:
            raise OperationalError(str(error)) from error
    return waiting == 0


def queue_for(input_bytes: int) -> str:
    """The queue of reports of this size."""
    return LARGE if input_bytes >= settings.BMAT_LARGE_REPORT_BYTES else SMALL
