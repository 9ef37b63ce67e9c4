"""An upload on its way in: what it may not add to, and what it may have been before."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework.request import Request

from bmat.api.errors import IdempotencyKeyOutlived, IdempotencyKeyReused
from bmat.api.models import IdempotencyKey, Report
from bmat.api.received import ReceivedFile
from bmat.api.services import quotas
from bmat.api.services.quotas import QuotaExceeded
from bmat.api.services.submit import (
    Idempotency,
    KeyOutlived,
    KeyReused,
    submit_once,
    submit_report,
)
from bmat.api.uploads import announced_bytes


def check_quotas(request: Request, key: str | None, owner: User | None) -> None:
    """Raises QuotaExceeded before anything of the body is read, unless `key` is known by now: a
    POST that is repeated adds nothing.
    """
    try:
        quotas.check(owner, more_reports=1, more_bytes=announced_bytes(request))
    except QuotaExceeded:
        if key is None or IdempotencyKey.objects.known(owner, key) is None:
            raise


def submitted_report(
    upload: ReceivedFile, options: dict[str, Any], key: str | None, owner: User | None
) -> tuple[Report, bool]:
    """The upload's report, and whether `key` stood for it already. Raises IdempotencyKeyReused,
    IdempotencyKeyOutlived and QuotaExceeded.
    """
    if key is None:
        return submit_report(upload, options, owner=owner), False
    idempotency = Idempotency.of(key, upload.sha256.hexdigest(), options)
    try:
        return submit_once(upload, options, idempotency, owner)
    except KeyReused as error:
        raise IdempotencyKeyReused from error
    except KeyOutlived as error:
        raise IdempotencyKeyOutlived from error
