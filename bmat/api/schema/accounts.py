"""How requests say who makes them, and what logging in and out takes and answers."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from drf_spectacular.utils import extend_schema as operation
from drf_spectacular.utils import extend_schema_view as operations
from rest_framework.exceptions import APIException, UnsupportedMediaType

from bmat.api.errors import FormTooLarge
from bmat.api.hosts import ForeignOrigin
from bmat.api.schema.errors import bad_request, errors
from bmat.api.schema.examples import examples
from bmat.api.serializers.accounts import LoginSerializer, TokenSerializer
from bmat.api.throttling import TooManyRequests

LOGIN = {"username": "alice", "password": "correct horse battery staple"}
TOKEN = {"token": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header of a token."""

    target_class = "bmat.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and a space, and then what the login was answered with. A "
            "service that asks for no logins takes requests without it.",
        }


def login_operation(*refused: type[APIException]) -> Any:
    """The description of a login, which may be `refused`."""
    return operations(
        post=operation(
            operation_id="login",
            summary="Get a token",
            description="For a name and a password. It is sent with other requests as "
            "`Authorization: Token ...`, until it expires or is revoked. Each login makes another.",
            request=LoginSerializer,
            responses={
                200: OpenApiResponse(
                    TokenSerializer,
                    "The token. It is told once.",
                    examples(token={**TOKEN, "expiry": "2027-01-30T08:30:00.123456Z"}),
                ),
                **bad_request(
                    no_password={"password": ["This field is required."]},
                    no_json={
                        "detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"
                    },
                ),
                **errors(
                    *refused, ForeignOrigin, FormTooLarge, UnsupportedMediaType, TooManyRequests
                ),
            },
            examples=[OpenApiExample("alice", LOGIN, request_only=True)],
        )
    )


def revoking_operation(operation_id: str, summary: str, description: str) -> Any:
    """The description of an end of tokens."""
    return operations(
        post=operation(
            operation_id=operation_id,
            summary=summary,
            description=description,
            request=None,
            responses={
                204: OpenApiResponse(None, "It is revoked."),
                **errors(ForeignOrigin),
            },
        )
    )


logout_operation = revoking_operation(
    "logout", "Revoke the token", "The one that is sent. Others of its user stay good."
)
logout_all_operation = revoking_operation(
    "logout_all", "Revoke all tokens", "Every one of the user whose token is sent."
)
