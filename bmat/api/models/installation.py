"""Which installation a database is of."""

from django.db import models

ONLY = 1


class Installation(models.Model):
    """One row: the id that the database shares with the home of its files."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    installation_id = models.UUIDField(editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY), name="one_installation")]

    def __str__(self) -> str:
        return str(self.installation_id)
