"""Telling the broker that a report waits, or somebody for a format. Nothing depends on its being
heard: the reconciler rings again, and so does who asks for the format again.
"""

import logging
from uuid import UUID

from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError

from bmat.taskapp.celery import app
from bmat.taskapp.queues import LARGE, PROCESS_REPORT, SMALL, WRITE_FORMAT

logger = logging.getLogger(__name__)

# An upload waits for this connection, so it gives up sooner than a worker's. It is a new one each
# time: one that was kept might have been closed by the broker meanwhile.
IMPATIENT = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


def ring(pid: UUID, input_bytes: int) -> bool:
    """Sends the task, whose id is the pid, to the workers for files of this size. False, and a line
    in the log: the broker cannot be reached.
    """
    return send(pid, PROCESS_REPORT, [str(pid)], str(pid), input_bytes)


def ring_for_format(pid: UUID, file_name: str, output_bytes: int) -> bool:
    """Asks the workers for results of this size to write `file_name` beside the report's output.
    False, and a line in the log: the broker cannot be reached.
    """
    return send(pid, WRITE_FORMAT, [str(pid), file_name], f"{pid}-{file_name}", output_bytes)


def send(pid: UUID, task: str, arguments: list[str], task_id: str, size: int) -> bool:
    try:
        with app.connection_for_write(transport_options=IMPATIENT) as connection:
            app.send_task(
                task, arguments, task_id=task_id, queue=queue_for(size), connection=connection
            )
    except (OperationalError, ChannelError, OSError) as error:
        logger.warning("report %s: it waits, for the broker cannot be reached: %s", pid, error)
        return False
    return True


def queue_for(input_bytes: int) -> str:
    """The queue of reports of this size."""
    return LARGE if input_bytes >= settings.BMAT_LARGE_REPORT_BYTES else SMALL
