"""Who speaks Prometheus with us: an API token as bearer, or as the password of HTTP basic (all that some programs can send)."""

import base64
import binascii
from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api_authentication import TokenAuthentication
from accounts.models import ApiToken, User
from adminset.errors import Forbidden


class BearerOrBasic(TokenAuthentication):
    """An API token speaks for its user; of basic credentials the name means nothing."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Give (user, token), None without credentials; raises as TokenAuthentication does."""
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            request.META["HTTP_AUTHORIZATION"] = f"Bearer {_password(text)}"
            # Django keeps the headers that it has read once.
            request._request.__dict__.pop("headers", None)
        return super().authenticate(request)


def _password(text: str) -> str:
    """Read the password of basic credentials, something that is no token where there is none."""
    try:
        plain = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "-"
    return plain.partition(":")[2] or "-"


AUTHENTICATION = [BearerOrBasic, SessionAuthentication]


class Holds(BasePermission):
    """Lets in who holds the view's `permission` anywhere; on which hosts is asked row by row."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask the user; a token that lacks "may change things" is told so."""
        permission: str = view.permission  # type: ignore[attr-defined]
        if not request.user.is_authenticated:
            return False
        if request.user.has_perm(permission):
            return True
        if _lacks_writing(request.auth, permission):
            raise Forbidden(
                "This token may only read.",
                f"Make one that may change things and has only the permission {permission}.",
                code="read_only_token",
            )
        return False


def _lacks_writing(token: Any, permission: str) -> bool:
    looking = permission.partition(".")[2].startswith("view_")
    return isinstance(token, ApiToken) and not token.can_write and not looking
