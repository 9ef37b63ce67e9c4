"""What a login says, and what it is answered with; tokens as their owners see them."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from drf_spectacular.utils import extend_schema_field
from knox.models import AuthToken
from rest_framework import serializers

from bmat.api.models.owners import TOKEN_NAME_LENGTH
from bmat.api.services import tokens

# No control characters, and not only white space.
TOKEN_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": TOKEN_NAME_LENGTH,
    "pattern": r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\s][^\x00-\x1f\x7f-\x9f]*$",
}
# Of a token, so that its owner knows it again.
SHOWN_CHARACTERS = 8

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


@extend_schema_field({"type": "number", "exclusiveMinimum": 0})
class DaysField(serializers.FloatField):
    """A number of days above 0. More than BMAT_TOKEN_DAYS, or none, stand for these."""

    default_error_messages = {"days": "A token is valid for more than 0 days."}

    def get_default(self) -> float:
        return float(settings.BMAT_TOKEN_DAYS)

    def to_internal_value(self, data: Any) -> float:
        days = 0.0 if isinstance(data, bool) else super().to_internal_value(data)
        if not days > 0:
            self.fail("days")
        return min(days, self.get_default())


@extend_schema_field(TOKEN_NAME)
class TokenNameField(serializers.RegexField):
    """What a token is called, every character of it."""

    default_error_messages = {"invalid": "Call it something that can be read."}

    def __init__(self, **kwargs: Any) -> None:
        # Python's $ would let a line end by.
        super().__init__(
            str(TOKEN_NAME["pattern"]).removesuffix("$") + r"\Z",
            max_length=TOKEN_NAME_LENGTH,
            trim_whitespace=False,
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> Any:
        """The name. A number of JSON is none."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NewTokenSerializer(serializers.Serializer[Any]):
    """A token that is to be made."""

    name = TokenNameField(help_text="What it is for.")
    days = DaysField(
        required=False,
        help_text="How long it is valid: at most `BMAT_TOKEN_DAYS`, which is the default.",
    )


class KeptTokenSerializer(serializers.Serializer[Any]):
    """A token, without what opens the door."""

    id = serializers.SerializerMethodField(help_text="What it is called in an address.")
    name = serializers.SerializerMethodField(help_text="Null: it was made without one.")
    starts_with = serializers.SerializerMethodField(help_text="The first characters of the token.")
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField(allow_null=True)
    is_this = serializers.SerializerMethodField(help_text="The request was sent with it.")

    def get_id(self, token: AuthToken) -> str:
        return tokens.id_of(token)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_name(self, token: AuthToken) -> str | None:
        try:
            return str(token.named.name)
        except ObjectDoesNotExist:
            return None

    def get_starts_with(self, token: AuthToken) -> str:
        return str(token.token_key)[:SHOWN_CHARACTERS]

    def get_is_this(self, token: AuthToken) -> bool:
        return bool(token == self.context.get("sent"))


class MadeTokenSerializer(KeptTokenSerializer):
    """A new token. It is told once: the service keeps no more than its hash."""

    token = serializers.CharField()
