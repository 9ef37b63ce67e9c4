"""Limits as answers tell them: the fields `RateLimit-Policy` and `RateLimit`.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
"""

from dataclasses import dataclass

from django.http import HttpRequest

# The largest integer of a structured field. https://www.rfc-editor.org/rfc/rfc8941#section-3.3.1
LARGEST_INTEGER = 10**15 - 1
NOTED = "bmat.standings"


@dataclass(frozen=True)
class Policy:
    """One limit. `unit` is empty where it counts requests; without a window, what was taken is
    given back at no certain time.
    """

    name: str
    quota: int
    window_seconds: int | None = None
    unit: str = ""

    def field(self) -> str:
        """One item of RateLimit-Policy.

        >>> Policy("default", 600, 60).field()
        '"default";q=600;w=60'
        """
        item = f'"{self.name}";q={min(self.quota, LARGEST_INTEGER)}'
        item += f';qu="{self.unit}"' if self.unit else ""
        return item + (f";w={self.window_seconds}" if self.window_seconds else "")


@dataclass(frozen=True)
class Standing:
    """What is left to one caller under a policy, within how many seconds; and whether this request
    was one too many.
    """

    policy: Policy
    available: int
    seconds: int
    exceeded: bool

    def field(self) -> str:
        """One item of RateLimit.

        >>> Standing(Policy("default", 600, 60), 599, 42, exceeded=False).field()
        '"default";r=599;t=42'
        """
        available = min(self.available, LARGEST_INTEGER)
        return f'"{self.policy.name}";r={available};t={self.seconds}'


def note(request: HttpRequest, standing: Standing) -> None:
    """Has the answer to `request` tell the standing, in place of an earlier one of that policy."""
    request.META.setdefault(NOTED, {})[standing.policy.name] = standing


def noted(request: HttpRequest) -> dict[str, Standing]:
    """The standings that the answer tells, by the policy's name."""
    found: dict[str, Standing] = request.META.get(NOTED, {})
    return found
