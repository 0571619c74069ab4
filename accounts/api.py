"""The explanation for machines."""

from dataclasses import asdict
from typing import cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.explain import explain
from accounts.forms.explain import ExplainForm
from accounts.models import User
from adminset.crud.rest import form_error
from adminset.http import SIGNED_IN


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
