"""The header by which a request can be repeated: what it creates is created once."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from bmat.api.models.idempotency import KEY_LENGTH

# https://docs.stripe.com/api/idempotent_requests
KEY_HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotent-Replayed"


def idempotency_key(request: Request) -> str | None:
    """The key that the request carries: it creates one thing, however often it is sent. None where
    it carries none. Raises ValidationError.
    """
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (
        1 <= len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()
    ):
        message = f"Send 1 to {KEY_LENGTH} printable ASCII characters, or no such header."
        raise ValidationError({KEY_HEADER: [message]})
    return key
