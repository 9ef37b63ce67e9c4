"""The other half of "the row is the truth": finds the reports that nobody works on, and rings for
them again.
"""

import logging

from bmat.api.models import Report
from bmat.api.services import bell

logger = logging.getLogger(__name__)

RINGS_AT_ONCE = 500
WORKER_LOST = "worker_lost"
WORKER_LOST_MESSAGE = (
    "The worker stopped in the middle of this report, each time it was tried. "
    "It may need more memory than there is."
)


def reconcile_reports() -> int:
    """Fails what was abandoned too often, hands back what was abandoned, rings for what waits. How
    many rings it sent.
    """
    failed = Report.objects.fail_abandoned(WORKER_LOST, WORKER_LOST_MESSAGE)
    handed_back = Report.objects.hand_back()
    if failed or handed_back:
        logger.warning("%s abandoned reports failed, %s handed back", failed, handed_back)
    rings = 0
    for report in Report.objects.due()[:RINGS_AT_ONCE]:
        if Report.objects.postpone_ring(report):
            if not bell.ring(report.pid):
                # The broker is down: the others would not be heard either. This one stays due.
                Report.objects.unclaimed().filter(pid=report.pid).update(
                    ring_at=report.ring_at, rings=report.rings
                )
                break
            rings += 1
    return rings
