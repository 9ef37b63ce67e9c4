from bmat.api.models.attempts import ReportAttempt
from bmat.api.models.idempotency import IdempotencyKey
from bmat.api.models.installation import Installation
from bmat.api.models.reports import Report

__all__ = ["IdempotencyKey", "Installation", "Report", "ReportAttempt"]
