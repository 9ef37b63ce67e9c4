"""Telling the broker that a report waits. Nothing depends on its being heard: the reconciler rings
again.
"""

import logging
from uuid import UUID

from kombu.exceptions import ChannelError, OperationalError

from bmat.taskapp.celery import PROCESS_REPORT, app

logger = logging.getLogger(__name__)

# An upload waits for this connection, so it gives up sooner than a worker's. It is a new one each
# time: one that was kept might have been closed by the broker meanwhile.
IMPATIENT = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


def ring(pid: UUID) -> bool:
    """Sends the task, whose id is the pid. False, and a line in the log: the broker cannot be
    reached.
    """
    try:
        with app.connection_for_write(transport_options=IMPATIENT) as connection:
            app.send_task(PROCESS_REPORT, args=[str(pid)], task_id=str(pid), connection=connection)
    except (OperationalError, ChannelError, OSError) as error:
        logger.warning("report %s: it waits, for the broker cannot be reached: %s", pid, error)
        return False
    return True
