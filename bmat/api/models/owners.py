"""What belongs to whom: who may see a row, the one rule for reports and uploads on all paths; the
names of tokens; which report an Idempotency-Key stands for; and the row that says whose reports the
database holds.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from knox.models import AuthToken

TOKEN_NAME_LENGTH = 60
KEY_LENGTH = 255
# The primary key of the one row of `Installation`.
ONLY = 1


def visible_to(user: User | AnonymousUser) -> Q:
    """Those rows that a request of `user` may see, change and download.

    Where a login is asked for: one's own, and everything for superusers. Where none is, whoever
    knows the id.
    """
    if not settings.BMAT_REQUIRE_AUTH or user.is_superuser:
        return Q()
    # Never `owner=None`, which would open the rows that belong to nobody.
    return Q(owner=user.pk) if user.is_authenticated else Q(pk__in=[])


class TokenName(models.Model):
    """The name of a token that was made with one. It goes with its token."""

    token = models.OneToOneField(
        AuthToken, primary_key=True, on_delete=models.CASCADE, related_name="named"
    )
    name = models.CharField(max_length=TOKEN_NAME_LENGTH)

    def __str__(self) -> str:
        return self.name


class KeyTaken(Exception):
    """Another request has used the key, perhaps at the same moment."""


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Sets of keys, and how one is taken."""

    def expired(self) -> "IdempotencyKeyQuerySet":
        """Those that may be used anew."""
        age = timedelta(seconds=settings.BMAT_IDEMPOTENCY_SECONDS)
        return self.filter(created__lt=Now() - age)

    def of(self, owner: User | None, key: str) -> "IdempotencyKeyQuerySet":
        """The row of `owner`'s key. Each user has keys of their own, and so has nobody."""
        return self.filter(owner=owner, key=key)

    def known(self, owner: User | None, key: str) -> "IdempotencyKey | None":
        """The row of `owner`'s key, unless it has expired."""
        return self.of(owner, key).exclude(pk__in=self.expired()).first()

    def take(self, owner: User | None, key: str, fingerprint: str, pid: UUID) -> None:
        """Lets `owner`'s key stand for the report `pid`. Raises KeyTaken: the database decides
        between two requests of the same moment. To be called in the transaction that creates the
        report.
        """
        self.expired().of(owner, key).delete()
        try:
            self.create(owner=owner, key=key, fingerprint=fingerprint, pid=pid, created=Now())
        except IntegrityError as error:
            raise KeyTaken from error


class IdempotencyKey(models.Model):
    """One key, and what was posted under it. It outlives its report: a POST that is repeated after
    the report was deleted must not create it again.
    """

    # A key means nothing without its owner, and would collide with others that nobody owns.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    key = models.CharField(max_length=KEY_LENGTH)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the upload and options.")
    pid = models.UUIDField(help_text="The report, which may be gone.")
    created = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_of_owner"),
            # NULLs are never equal to each other.
            models.UniqueConstraint(
                fields=["key"],
                name="idempotency_key_of_nobody",
                condition=Q(owner=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.pid})"


class Installation(models.Model):
    """One row: the id that the database shares with the home of its files."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    installation_id = models.UUIDField(editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY), name="one_installation")]

    def __str__(self) -> str:
        return str(self.installation_id)
