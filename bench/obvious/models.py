"""The report of the obvious solution."""

import uuid

from django.db import models


class Report(models.Model):
    objects: models.Manager["Report"] = models.Manager()

    pid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    input_file = models.FileField()
    output_file = models.FileField(null=True)
    status = models.IntegerField(default=0)
    finished = models.DateTimeField(null=True)
