"""`/api/auth/`: a token for a name and a password, and the end of tokens; `/api/tokens/`: those of
whoever asks.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import Http404
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_view,
)
from knox.models import AuthToken
from knox.settings import knox_settings
from knox.views import LogoutView as KnoxLogoutView
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from bmat.api.access import IsLetIn, TokenAuthentication
from bmat.api.errors import CODES, ApiError
from bmat.api.schema import BODY, CHANGE, NOT_LET_IN, NOT_MODIFIED, operation
from bmat.api.serializers.accounts import (
    KeptTokenSerializer,
    LoginSerializer,
    MadeTokenSerializer,
    NewTokenSerializer,
    TokenSerializer,
)
from bmat.api.services import tokens
from bmat.api.uploads import length_of

# The parsers hold the whole body in memory.
BODY_BYTES = 2**16
LOGIN = {"username": "alice", "password": "correct horse battery staple"}


def revocation(name: str, summary: str, description: str) -> Any:
    """The description of an end of tokens."""
    gone = {204: OpenApiResponse(None, "It is revoked.")}
    codes = (*NOT_LET_IN, "foreign_origin")
    post = operation(name, summary, description, gone, *codes, request=None)
    return extend_schema_view(post=post)


class ShallowJSONParser(JSONParser):
    """Refuses what is nested so deeply that Python's own parser gives up."""

    def parse(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().parse(*arguments, **named)
        except RecursionError as error:
            raise ParseError("JSON parse error - it is nested too deeply.") from error


def fields_of(request: Request, form: type[Serializer[Any]], what: str) -> dict[str, Any]:
    """The fields of a small form, as its serializer has them. Raises ApiError form_too_large for a
    body of more than BODY_BYTES, which is called `what`, and ValidationError.
    """
    if length_of(request) > BODY_BYTES:
        raise ApiError("form_too_large", f"{what} has at most {BODY_BYTES} bytes.")
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    fields: dict[str, Any] = given.validated_data
    return fields


@extend_schema_view(
    post=operation(
        "login",
        "Get a token",
        "For a name and a password. It is sent with other requests as `Authorization: Token ...`, "
        "until it expires or is revoked. Each login makes another.",
        {200: OpenApiResponse(TokenSerializer, "The token. It is told once.")},
        *(*BODY, "wrong_login", "foreign_origin", "too_many_tokens"),
        request=LoginSerializer,
        examples=[OpenApiExample("alice", LOGIN, request_only=True)],
    )
)
class LoginView(APIView):
    """A login. django-axes answers 429 after too many attempts."""

    # A login needs nobody to be logged in, and fails for no old token that is sent along.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (ShallowJSONParser, FormParser)
    serializer_class = LoginSerializer

    def get_authenticate_header(self, request: Request) -> str:
        """What a 401 names in WWW-Authenticate."""
        return str(TokenAuthentication().authenticate_header(request))

    def post(self, request: Request) -> Response:
        login = fields_of(request, LoginSerializer, "A login")
        user = authenticate(request._request, **login)
        if not isinstance(user, User):
            raise AuthenticationFailed(CODES["wrong_login"].message, "wrong_login")
        row, token = tokens.make_token(user, knox_settings.TOKEN_TTL)
        user_logged_in.send(sender=User, request=request._request, user=user)
        shown = TokenSerializer({"token": token, "expiry": row.expiry})
        return Response(shown.data)


@revocation("logout", "Revoke the token", "The one that is sent. Others of its user stay good.")
class LogoutView(KnoxLogoutView):  # type: ignore[misc]  # knox has no types
    """The end of one token."""

    authentication_classes = (TokenAuthentication,)


@revocation(
    "logout_all",
    "Log out everywhere",
    "Revokes every token of whoever asks, and ends their sessions in browsers.",
)
class LogoutAllView(APIView):
    """The end of all tokens, and of sessions."""

    permission_classes = (IsLetIn, IsAuthenticated)

    def post(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        tokens.log_out_everywhere(request.user)
        user_logged_out.send(sender=User, request=request._request, user=request.user)
        return Response(status=204)


@extend_schema_view(
    get=operation(
        "list_tokens",
        "Your tokens",
        "Those that are valid, the newest first.",
        {200: KeptTokenSerializer(many=True), **NOT_MODIFIED},
        *NOT_LET_IN,
        tags=["auth"],
    ),
    post=operation(
        "create_token",
        "Make a token",
        "For a program, with a name that says what it is for. It expires with the token that asks "
        "for it, where it would be valid for longer than that.",
        {201: OpenApiResponse(MadeTokenSerializer, "The token. It is told once.")},
        *(*BODY, *NOT_LET_IN, *CHANGE, "too_many_tokens"),
        request=NewTokenSerializer,
        tags=["auth"],
    ),
)
class TokensView(APIView):
    """The valid tokens of whoever asks, and new ones."""

    permission_classes = (IsLetIn, IsAuthenticated)
    parser_classes = (ShallowJSONParser, FormParser)
    serializer_class = NewTokenSerializer

    def get(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        found = list(tokens.valid_tokens(request.user))
        shown = KeptTokenSerializer(found, many=True, context={"sent": request.auth})
        return Response(shown.data)

    def post(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        wanted = fields_of(request, NewTokenSerializer, "This form")
        sent = request.auth.expiry if isinstance(request.auth, AuthToken) else None
        valid_for = timedelta(days=wanted["days"])
        row, token = tokens.make_token(request.user, valid_for, wanted["name"], not_after=sent)
        row.token = token
        return Response(MadeTokenSerializer(row).data, status=201)


@extend_schema_view(
    delete=operation(
        "revoke_token",
        "Revoke a token",
        "One of yours, by its `id` in the list.",
        {204: OpenApiResponse(None, "It is revoked.")},
        *("not_found", *NOT_LET_IN, *CHANGE),
        parameters=[
            OpenApiParameter(
                "id",
                {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                OpenApiParameter.PATH,
                description="The token's, as the list has it.",
            )
        ],
        tags=["auth"],
    )
)
class TokenView(APIView):
    """One of them, to be revoked."""

    permission_classes = (IsLetIn, IsAuthenticated)

    def delete(self, request: Request, id: str) -> Response:
        assert isinstance(request.user, User)
        if not tokens.revoke(request.user, id):
            raise Http404
        return Response(status=204)
