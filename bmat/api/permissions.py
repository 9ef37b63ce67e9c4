"""Who is let in at all. What of it they may see is `Report.objects.visible_to`."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from bmat.api.throttling import count_stranger

if TYPE_CHECKING:
    # Imports, in its turn, the classes that the settings name: this module among them.
    from rest_framework.views import APIView


class IsLetIn(BasePermission):
    """Everybody, or whoever is logged in where BMAT_REQUIRE_AUTH says so."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True. Raises NotAuthenticated, and TooManyRequests for a stranger who goes on asking."""
        if settings.BMAT_REQUIRE_AUTH and not request.user.is_authenticated:
            count_stranger(request)
            raise NotAuthenticated("Send a token: Authorization: Token ...")
        return True
