"""What a report's status column holds. The numbers are part of the HTTP contract."""

from django.db import models


class Status(models.IntegerChoices):
    """0 covers both a report that waits for a worker and one that is worked on."""

    PROCESSING = 0
    DONE = 1
    FAILED = 2
    CANCELLED = 3
