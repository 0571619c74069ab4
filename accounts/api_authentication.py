"""Who is calling the REST endpoints: `Authorization: Bearer <prefix>.<secret>`."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from adminset.crypto import digest_matches

SCHEME = "Bearer"
LAST_USE_SECONDS = 60


class TokenAuthentication(BaseAuthentication):
    """An API token speaks for its user."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Give (user, token) of the header, None without one.

        Raises:
            AuthenticationFailed: unknown, revoked or expired, or its user may not sign in; all in the same words.
        """
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        token = find(text.strip())
        if token is None:
            raise AuthenticationFailed(
                _(
                    "This token is unknown, revoked or expired. Make a new one under My account."
                )
            )
        note_use(token)
        token.user.token = token
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Make DRF answer 401 instead of 403 to anonymous callers."""
        return SCHEME


def find(text: str) -> ApiToken | None:
    """Give the usable token of "<prefix>.<secret>"; an unknown prefix costs as much as a wrong secret."""
    prefix, _dot, secret = text.partition(".")
    known = prefix.isascii() and prefix.isalnum()
    rows = ApiToken.objects.usable()
    token = rows.select_related("user").filter(prefix=prefix).first() if known else None
    right = digest_matches(secret, token.secret_hash if token else "0" * 64)
    return token if token and right and token.user.may_sign_in else None


def note_use(token: ApiToken) -> None:
    """Keep when a token was last used, at most once a minute."""
    now = timezone.now()
    stale = now - timedelta(seconds=LAST_USE_SECONDS)
    if token.last_used_at is None or token.last_used_at < stale:
        rows = ApiToken.objects.filter(pk=token.pk)
        rows.filter(Q(last_used_at=None) | Q(last_used_at__lt=stale)).update(
            last_used_at=now
        )


class TokenScheme(OpenApiAuthenticationExtension):
    """Says in the OpenAPI schema how a token is sent."""

    target_class = "accounts.api_authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe the header."""
        del auto_schema
        return {"type": "http", "scheme": "bearer", "bearerFormat": "<prefix>.<secret>"}
