"""Who is calling the REST endpoints: `Authorization: Bearer <prefix>.<secret>`."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import throttle
from accounts.models import ApiToken, User
from accounts.services import tokens
from adminset import networks
from adminset.context import current
from adminset.crypto import digest_matches

SCHEME = "Bearer"
LAST_USE_SECONDS = 60


class TokenAuthentication(BaseAuthentication):
    """An API token speaks for its user."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Give (user, token) of the header, None without one.

        Raises:
            AuthenticationFailed: unknown, revoked or expired, its user may not sign in, or the request comes from a network
                that is not the token's; all in the same words.
            TooManyAttempts: the same, and too often from this address.
        """
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        address = current.get().address
        token = find(text.strip())
        if token is None or not _is_at_home(token, address):
            throttle.count_address(address, kind="token", limit=settings.TOKEN_FAILURES)
            raise AuthenticationFailed(
                _(
                    "This token is unknown, revoked, expired or not for your network. Make a new one under My account."
                )
            )
        tokens.note_use(token=token, address=address, seconds=LAST_USE_SECONDS)
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


def _is_at_home(token: ApiToken, address: str) -> bool:
    """Say whether a token may be used from an address; the trail is told when not."""
    if networks.admits(token.networks, address):
        return True
    tokens.note_refusal(token=token)
    return False


class TokenScheme(OpenApiAuthenticationExtension):
    """Says in the OpenAPI schema how a token is sent."""

    target_class = "accounts.api_authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe the header."""
        del auto_schema
        return {"type": "http", "scheme": "bearer", "bearerFormat": "<prefix>.<secret>"}
