"""Telling the broker that a report waits. Nothing depends on its being heard: the reconciler rings
again.
"""

import logging
import threading
from uuid import UUID

from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError

from bmat.taskapp.celery import app
from bmat.taskapp.queues import LARGE, PROCESS_REPORT, SMALL

logger = logging.getLogger(__name__)

# An upload waits for this connection, so it gives up sooner than a worker's.
IMPATIENT = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


class Line(threading.local):
    """Each thread's own connection to the broker, which is kept: opening one costs several times
    what a ring does. Where the broker has closed it meanwhile, kombu opens it again, once for each
    ring, as CELERY_TASK_PUBLISH_RETRY_POLICY says.
    """

    def __init__(self) -> None:
        self.connection = app.connection_for_write(transport_options=IMPATIENT)
        self.producer = app.amqp.Producer(self.connection, auto_declare=False)

    def hang_up(self) -> None:
        """Closes the connection; the next ring begins with a new one."""
        self.connection.close()
        self.__init__()  # type: ignore[misc]  # as a new thread would


line = Line()


def ring(pid: UUID, input_bytes: int) -> bool:
    """Sends the task, whose id is the pid, to the workers for files of this size. False, and a line
    in the log: the broker cannot be reached.
    """
    queue = queue_for(input_bytes)
    try:
        app.send_task(
            PROCESS_REPORT, [str(pid)], task_id=str(pid), queue=queue, producer=line.producer
        )
    except (OperationalError, ChannelError, OSError) as error:
        line.hang_up()
        logger.warning("report %s: it waits, for the broker cannot be reached: %s", pid, error)
        return False
    return True


def queue_for(input_bytes: int) -> str:
    """The queue of reports of this size."""
    return LARGE if input_bytes >= settings.BMAT_LARGE_REPORT_BYTES else SMALL
