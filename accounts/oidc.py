"""OpenID Connect: the authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636).

Requests go through the portal's one door to the outside; ID tokens are believed only with the provider's signature, our client id,
the issuer and the nonce. mozilla-django-oidc checks neither issuer nor audience and sends its own requests (ARCHITECTURE.md).
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from adminset import outbound, redaction
from adminset.errors import DomainError
from adminset.texts import is_whole

ALGORITHMS = ["RS256", "ES256", "PS256"]
DISCOVERY_SECONDS = 600
FLOW_SECONDS = 600
LEEWAY_SECONDS = 30
# What its discovery document must say (OpenID Connect Discovery 1.0, section 3).
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# What reading a token or a key of a provider that sends nonsense may end in.
NONSENSE = (
    jwt.PyJWTError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)


class ProviderError(DomainError):
    """The provider said no, or said something that is not believed."""

    status = 403


@dataclass(frozen=True)
class Flow:
    """What is kept in the session while somebody is at the provider."""

    state: str
    nonce: str
    verifier: str
    began_at: float
    purpose: str
    target: str

    def as_dict(self) -> dict[str, Any]:
        """Give it as a session keeps it."""
        return asdict(self)

    @property
    def is_fresh(self) -> bool:
        """Say whether the answer may still come."""
        return 0 <= time.time() - self.began_at < FLOW_SECONDS


def is_configured() -> bool:
    """Say whether a provider is named in the settings."""
    return bool(settings.OIDC_ISSUER)


def begin(*, purpose: str, target: str) -> Flow:
    """Make the secrets of one sign-in.

    Args:
        purpose: "sign in" or "confirm".
        target: where to go afterwards.
    """
    return Flow(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(32),
        began_at=time.time(),
        purpose=purpose,
        target=target,
    )


def address_of(flow: Flow, *, redirect_uri: str, again: bool = False) -> str:
    """Give the address at the provider to which somebody is sent.

    Args:
        again: the provider shall ask for the password even of who is signed in there.

    Raises:
        DomainError: the provider cannot be asked.
    """
    challenge = hashlib.sha256(flow.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": settings.OIDC_SCOPES,
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if again:
        query |= {"prompt": "login", "max_age": "0"}
    endpoint = str(discovery()["authorization_endpoint"])
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def discovery() -> dict[str, Any]:
    """Give what the provider says of itself, asked once in ten minutes.

    Raises:
        DomainError: it cannot be asked, or calls itself otherwise.
    """
    key = f"oidc:{hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()}"
    known: dict[str, Any] | None = cache.get(key)
    if known is None:
        url = f"{settings.OIDC_ISSUER}/.well-known/openid-configuration"
        known = _json(outbound.fetch("GET", url))
        if str(known.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
            raise ProviderError(
                _("The provider calls itself %(name)s.")
                % {"name": known.get("issuer")},
                _("Write that into ADMINSET_OIDC_ISSUER if it is right."),
                code="wrong_issuer",
            )
        if not all(isinstance(known.get(name), str) for name in NEEDED):
            raise _not_believed("discovery")
        cache.set(key, known, DISCOVERY_SECONDS)
    return known


def claims_of(flow: Flow, *, code: str, redirect_uri: str) -> dict[str, Any]:
    """Change the code for an ID token, check it, and give what the provider says of the person.

    Raises:
        DomainError: the provider refuses, cannot be asked, or its token is not believed.
    """
    place = discovery()
    redaction.known.add(settings.OIDC_CLIENT_SECRET)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": flow.verifier,
        "client_id": settings.OIDC_CLIENT_ID,
        "client_secret": settings.OIDC_CLIENT_SECRET,
    }
    answer = outbound.fetch(
        "POST",
        str(place["token_endpoint"]),
        data=urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    tokens = _json(answer)
    claims = _believed(str(tokens.get("id_token", "")), flow.nonce)
    return _more(place, tokens, claims)


def _believed(token: str, nonce: str) -> dict[str, Any]:
    told = _json(outbound.fetch("GET", str(discovery()["jwks_uri"])))
    try:
        keys = jwt.PyJWKSet.from_dict(told)
        key_id = jwt.get_unverified_header(token).get("kid")
        key = next(
            each for each in keys.keys if key_id is None or each.key_id == key_id
        )
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=settings.OIDC_CLIENT_ID,
            issuer=str(discovery()["issuer"]),
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except NONSENSE as error:
        raise _not_believed(type(error).__name__) from None
    if not is_whole(claims):
        raise _half_characters()
    if "\x00" in str(claims["sub"]):
        raise _not_believed("sub")
    if not secrets.compare_digest(
        str(claims.get("nonce", "")).encode(), nonce.encode()
    ):
        raise _not_believed("nonce")
    return claims


def _not_believed(why: str) -> ProviderError:
    return ProviderError(
        _("What the provider sent is not believed (%(why)s).") % {"why": why},
        _("Sign in once more; if it stays so, an administrator has to look."),
        code="bad_id_token",
    )


def _half_characters() -> ProviderError:
    return ProviderError(
        _("What the provider sent is not valid Unicode."),
        _("Ask an administrator: your name or a group there has to be mended."),
        code="not_unicode",
    )


def _more(
    place: dict[str, Any], tokens: dict[str, Any], claims: dict[str, Any]
) -> dict[str, Any]:
    """Ask for the claims that the ID token leaves out; they must be about the same person."""
    endpoint, access = place.get("userinfo_endpoint"), tokens.get("access_token")
    if not endpoint or not access:
        return claims
    if not isinstance(access, str) or not access.isascii():
        raise _not_believed("access_token")
    headers = {"Authorization": f"Bearer {access}"}
    told = _json(outbound.fetch("GET", str(endpoint), headers=headers))
    if told.get("sub") != claims["sub"]:
        raise _not_believed("sub")
    # Only the signed token says when somebody signed in there.
    told.pop("auth_time", None)
    return told | claims


def proves_anew(flow: Flow, claims: dict[str, Any]) -> bool:
    """Say whether somebody signed in at the provider after this flow began: by auth_time, never by when the token was made."""
    moment = claims.get("auth_time")
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return False
    begun, now = flow.began_at - LEEWAY_SECONDS, time.time() + LEEWAY_SECONDS
    return begun <= moment <= now


def _json(answer: outbound.Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if answer.status != 200 or not isinstance(body, dict):
        raise ProviderError(
            _("The provider answered with status %(status)s.")
            % {"status": answer.status},
            _("Sign in once more; if it stays so, an administrator has to look."),
            code="provider_refused",
        )
    if not is_whole(body):
        raise _half_characters()
    return body
