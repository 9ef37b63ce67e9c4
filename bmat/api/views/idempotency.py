"""The header `Idempotency-Key` of an upload: the same key and body create one report, however often
they are posted. https://docs.stripe.com/api/idempotent_requests
"""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from bmat.api.models.idempotency import KEY_LENGTH

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"


def idempotency_key(request: Request) -> str | None:
    """The key that the request carries; None where it carries none. Raises ValidationError."""
    key = request.headers.get(HEADER)
    if key is not None and not is_key(key):
        message = f"Send 1 to {KEY_LENGTH} printable ASCII characters, or no such header."
        raise ValidationError({HEADER: [message]})
    return key


def is_key(key: str) -> bool:
    return 1 <= len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()
