"""How many uploads, and downloads that are made while they are sent, one user may have under way at
a time in this process: each holds a thread, or memory, for as long as the client likes.
"""

import threading
from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from bmat.api.errors import ApiError
from bmat.api.ratelimit import address

lock = threading.Lock()
under_way: Counter[str] = Counter()


def begin(request: HttpRequest | Request, what: str) -> Callable[[], None]:
    """Counts a transfer of the request's sender, until the function that is returned is called for
    the first time. Raises ApiError `too_many_transfers`.
    """
    who = f"{what} {sender(request)}"
    limit = settings.BMAT_MAX_TRANSFERS
    with lock:
        if limit is not None and under_way[who] >= limit:
            raise ApiError(
                "too_many_transfers",
                f"You have {limit} {what} under way, which is the limit. Wait for one to end.",
            )
        under_way[who] += 1
    ended = threading.Event()

    def end() -> None:
        with lock:
            if not ended.is_set():
                ended.set()
                under_way[who] -= 1
                if not under_way[who]:
                    del under_way[who]

    return end


def sender(request: HttpRequest | Request) -> str:
    """The user; of whom is not logged in, the address."""
    if request.user.is_authenticated:
        return f"user {request.user.pk}"
    return address(request)
