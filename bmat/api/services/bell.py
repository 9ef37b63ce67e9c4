"""Telling the broker that a report waits. Nothing depends on its being heard: the reconciler rings
again.
"""

import logging
from uuid import UUID

from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError

from bmat.taskapp.celery import app
from bmat.taskapp.queues import LARGE, PROCESS_REPORT, SMALL

logger = logging.getLogger(__name__)

# An upload waits for this connection, so it gives up sooner than a worker's. It is a new one each
# time: one that was kept might have been closed by the broker meanwhile.
IMPATIENT = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


def ring(pid: UUID, input_bytes: int) -> bool:
    """Sends the task, whose id is the pid, to the workers for files of this size. False, and a line
    in the log: the broker cannot be reached.
    """
    queue = queue_for(input_bytes)
    try:
        with app.connection_for_write(transport_options=IMPATIENT) as connection:
            app.send_task(
                PROCESS_REPORT, [str(pid)], task_id=str(pid), queue=queue, connection=connection
            )
    except (OperationalError, ChannelError, OSError) as error:
        logger.warning("report %s: it waits, for the broker cannot be reached: %s", pid, error)
        return False
    return True


def queue_for(input_bytes: int) -> str:
    """The queue of reports of this size."""
    return LARGE if input_bytes >= settings.BMAT_LARGE_REPORT_BYTES else SMALL
