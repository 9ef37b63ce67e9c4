from bmat.api.models.attempts import ReportAttempt
from bmat.api.models.idempotency import IdempotencyKey
from bmat.api.models.reports import Installation, Report, Status
from bmat.api.models.tokens import TokenName
from bmat.api.models.uploads import Upload

__all__ = [
    "IdempotencyKey",
    "Installation",
    "Report",
    "ReportAttempt",
    "Status",
    "TokenName",
    "Upload",
]
