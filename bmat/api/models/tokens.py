"""What people call their tokens."""

from django.db import models
from knox.models import AuthToken

TOKEN_NAME_LENGTH = 60


class TokenName(models.Model):
    """The name of a token that was made with one. It goes with its token."""

    token = models.OneToOneField(
        AuthToken, primary_key=True, on_delete=models.CASCADE, related_name="named"
    )
    name = models.CharField(max_length=TOKEN_NAME_LENGTH)

    def __str__(self) -> str:
        return self.name
