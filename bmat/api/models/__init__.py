from bmat.api.models.owners import IdempotencyKey, Installation, TokenName
from bmat.api.models.reports import Report, ReportAttempt, Status
from bmat.api.models.uploads import Upload
from bmat.api.models.webhooks import Callback, Delivery, Webhook

__all__ = [
    "Callback",
    "Delivery",
    "IdempotencyKey",
    "Installation",
    "Report",
    "ReportAttempt",
    "Status",
    "TokenName",
    "Upload",
    "Webhook",
]
