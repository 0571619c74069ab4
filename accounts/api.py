"""For machines: the explanation, and the rotation of an API token."""

from dataclasses import asdict
from typing import cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import token_selectors
from accounts.explain import explain
from accounts.forms.explain import ExplainForm
from accounts.models import User
from accounts.services import tokens
from adminset.crud.rest import form_error
from adminset.http import SIGNED_IN, needs_proof, proof_error

MAKES_TOKENS = "accounts.add_apitoken"


class Explain(APIView):
    """May a user do something on an object, and why (not)."""

    permission = SIGNED_IN
    permission_classes = [IsAuthenticated]
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="Why may or may not",
        parameters=[
            OpenApiParameter("permission", str, required=True),
            OpenApiParameter("user", str),
            OpenApiParameter("object", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        """Answer with what decided."""
        asker = cast("User", request.user)
        asked = request.query_params.copy()
        asked.setdefault("user", asker.username)
        form = ExplainForm(asked, asker=asker)
        if not form.is_valid():
            raise form_error(form.errors)
        user, permission = form.cleaned_data["user"], form.cleaned_data["permission"]
        if user == asker:
            user = asker  # the one for whom a token speaks, with the token's limits
        return Response(asdict(explain(asker, user, permission, form.target())))


class RotateToken(APIView):
    """Replace an API token by one with the same limits: one's own, or one of a service account. In a session only."""

    permission = SIGNED_IN
    permission_classes = [IsAuthenticated]
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Replace an API token; not with a token",
        request=None,
        responses={201: dict},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Answer with the new token and its text, which is shown this once."""
        asker = cast("User", request.user)
        token = get_object_or_404(token_selectors.replaceable_by(asker), pk=pk)
        if needs_proof(request._request, MAKES_TOKENS):
            raise proof_error()
        made, text = tokens.rotate_token(actor=asker, token=token)
        token.refresh_from_db()
        answer = {
            "id": made.pk,
            "token": text,
            "expires_at": made.expires_at,
            "replaces": token.pk,
            "replaced_until": token.expires_at,
        }
        headers = {"Cache-Control": "no-store"}
        return Response(answer, status=status.HTTP_201_CREATED, headers=headers)
