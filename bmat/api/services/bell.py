"""Telling the broker that a report waits, or somebody for a format. Nothing depends on its being
heard: the reconciler rings again, and so does who asks for the format again.
"""

import logging
import threading
from uuid import UUID

from django.conf import settings
from kombu import Producer
from kombu.exceptions import ChannelError, OperationalError

from bmat.taskapp.celery import app
from bmat.taskapp.queues import CONVERT_RESULT, LARGE, PROCESS_REPORT, SMALL

logger = logging.getLogger(__name__)

# An upload waits for this connection, so it gives up sooner than a worker's.
IMPATIENT = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


class Line(threading.local):
    """Each thread's own connection to the broker, which is kept: opening one costs several times
    what a ring does. `is_kept`: it has carried a message before, and may have been closed since.
    """

    def __init__(self) -> None:
        self._dial()

    def hang_up(self) -> None:
        """Closes the connection; the next ring begins with a new one."""
        self._connection.close()
        self._dial()

    def _dial(self) -> None:
        # It connects when it is first used.
        self._connection = app.connection_for_write(transport_options=IMPATIENT)
        self.producer = Producer(self._connection, auto_declare=False)
        self.is_kept = False


line = Line()


def ring(pid: UUID, input_bytes: int) -> bool:
    """Sends the task, whose id is the pid, to the workers for files of this size. False, and a line
    in the log: the broker cannot be reached.
    """
    return send(pid, PROCESS_REPORT, [str(pid)], str(pid), input_bytes)


def ring_for_format(pid: UUID, file_name: str, output_bytes: int) -> bool:
    """Asks the workers for results of this size to write `file_name` beside the report's output.
    False, and a line in the log: the broker cannot be reached.
    """
    return send(pid, CONVERT_RESULT, [str(pid), file_name], f"{pid}-{file_name}", output_bytes)


def send(pid: UUID, task: str, arguments: list[str], task_id: str, size: int) -> bool:
    was_kept = line.is_kept
    try:
        app.send_task(
            task,
            arguments,
            task_id=task_id,
            queue=queue_for(size),
            producer=line.producer,
            retry=not was_kept,
        )
    except (OperationalError, ChannelError, OSError) as error:
        line.hang_up()
        if was_kept:
            # Only a new connection can tell whether the broker is there.
            return send(pid, task, arguments, task_id, size)
        logger.warning("report %s: it waits, for the broker cannot be reached: %s", pid, error)
        return False
    line.is_kept = True
    return True


def queue_for(input_bytes: int) -> str:
    """The queue of reports of this size."""
    return LARGE if input_bytes >= settings.BMAT_LARGE_REPORT_BYTES else SMALL
