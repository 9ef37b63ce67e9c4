"""`/api/tokens/`: the tokens of whoever asks."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.http import Http404
from knox.models import AuthToken
from rest_framework.parsers import FormParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bmat.api.authentication import IsLetIn
from bmat.api.errors import ApiError
from bmat.api.schema.operations import token_operation, tokens_operation
from bmat.api.serializers.accounts import (
    KeptTokenSerializer,
    MadeTokenSerializer,
    NewTokenSerializer,
)
from bmat.api.services import tokens
from bmat.api.services.tokens import TooManyTokens
from bmat.api.views.accounts import BODY_BYTES, ShallowJSONParser


@tokens_operation
class TokensView(APIView):
    """The valid tokens of whoever asks, newest first, and new ones: 201. A new one is told once. It
    expires with the token that asks for it, where it would be valid for longer than that.
    """

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
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES:
            raise ApiError("form_too_large", f"This form has at most {BODY_BYTES} bytes.")
        given = NewTokenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        sent = request.auth.expiry if isinstance(request.auth, AuthToken) else None
        valid_for = timedelta(days=given.validated_data["days"])
        name = given.validated_data["name"]
        try:
            row, token = tokens.make_token(request.user, valid_for, name, not_after=sent)
        except TooManyTokens as error:
            raise ApiError("too_many_tokens") from error
        row.token = token
        return Response(MadeTokenSerializer(row).data, status=201)


@token_operation
class TokenView(APIView):
    """One of them, to be revoked: 204."""

    permission_classes = (IsLetIn, IsAuthenticated)

    def delete(self, request: Request, id: str) -> Response:
        assert isinstance(request.user, User)
        if not tokens.revoke(request.user, id):
            raise Http404
        return Response(status=204)
