"""What a login says, and what it is answered with."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# Not only white space, which is taken off, and no NUL.
NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 150,
    "pattern": r"^[^\x00]*[^\x00-\x20\x7f-\xa0\s][^\x00]*$",
}
PASSWORD = {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^[^\x00]*$"}


@extend_schema_field(NAME)
class NameField(serializers.CharField):
    """A user's name."""


@extend_schema_field({**PASSWORD, "format": "password"})
class PasswordField(serializers.CharField):
    """A user's password, of which every character counts."""


class LoginSerializer(serializers.Serializer[Any]):
    """A login."""

    username = NameField(max_length=150)
    password = PasswordField(max_length=4096, trim_whitespace=False)


class TokenSerializer(serializers.Serializer[Any]):
    """A new token. It is told once: the service keeps no more than its hash."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()
