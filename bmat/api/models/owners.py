"""Whose a row is, and who may see it: the one rule for reports and uploads, on all paths."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q


def visible_to(user: User | AnonymousUser) -> Q:
    """Those rows that a request of `user` may see, change and download.

    Where a login is asked for: one's own, and everything for superusers. Where none is, whoever
    knows the id.
    """
    if not settings.BMAT_REQUIRE_AUTH or user.is_superuser:
        return Q()
    # Never `owner=None`, which would open the rows that belong to nobody.
    return Q(owner=user.pk) if user.is_authenticated else Q(pk__in=[])
