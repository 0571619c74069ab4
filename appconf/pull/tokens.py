"""Tokens with which applications fetch their configuration: made, checked, ended. Kept as a hash; the text is given once."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import throttle
from adminset import audit, networks
from adminset.context import current
from adminset.crypto import digest, digest_matches
from adminset.errors import DomainError, Forbidden
from adminset.querysets import may
from appconf.models import Environment, PullToken
from appconf.vouching import ensure_may_deploy

# What a token does again and again (it is refused, it comes from elsewhere) is told once in this time.
REFUSAL_SECONDS = 3600
LAST_USE_SECONDS = 60
MOST_DAYS = 3660


@transaction.atomic
def create_token(
    *,
    actor: Any,
    environment: Environment,
    name: str,
    days: int,
    networks: Sequence[str] = (),
    with_secrets: bool = False,
) -> tuple[PullToken, str]:
    """Make a token for the configuration of one environment.

    Args:
        days: until it expires. networks: it works from these only; none: from anywhere.
        with_secrets: it gets secret variables and files with them.

    Returns:
        The token and its text "<prefix>.<secret>", which is kept nowhere.

    Raises:
        Forbidden: a token asks; or it is for secrets, and the actor may not deploy to the environment.
    """
    _ensure_in_person(actor)
    if with_secrets:
        # Secrets are never shown again: only who brings them to the hosts anyway gives them away.
        ensure_may_deploy(actor, environment)
    secret = secrets.token_urlsafe(32)
    token = PullToken.objects.create(
        name=name,
        project=environment.project,
        environment=environment,
        prefix=secrets.token_hex(6),
        token_hash=digest(secret),
        expires_at=timezone.now() + timedelta(days=min(days, MOST_DAYS)),
        networks=list(networks),
        with_secrets=with_secrets,
        created_by=actor,
    )
    if not may(actor, "add", token):
        raise Forbidden(
            _("You may not make tokens for %(environment)s.")
            % {"environment": environment},
            code="out_of_scope",
        )
    changes = audit.changed({}, audit.snapshot(token))
    audit.record(actor, "pulltoken.create", token, changes=changes)
    return token, f"{token.prefix}.{secret}"


def _ensure_in_person(actor: Any) -> None:
    """Keep a stolen token from living on in others."""
    if getattr(actor, "token", None) is not None:
        raise Forbidden(
            _("A token cannot make tokens."),
            _("Sign in and make it on the pages."),
            code="session_only",
        )


@transaction.atomic
def revoke_token(*, actor: Any, token: PullToken) -> None:
    """End a token now; one that is ended stays so."""
    rows = PullToken.objects.filter(pk=token.pk, is_active=True)
    if rows.update(is_active=False, updated_at=timezone.now()):
        change = {"field": "is_active", "old": True, "new": False}
        audit.record(actor, "pulltoken.revoke", token, changes=[change])


def token_of(text: str) -> PullToken:
    """Give the token of "<prefix>.<secret>" where it may be used now and from here.

    Raises:
        DomainError: 401, in the same words whatever is wrong; TooManyAttempts: the same, and too often from this address.
    """
    address = current.get().address
    token = _known(text)
    if token is None or not networks.admits(token.networks, address):
        if token is not None:
            note_refusal(token, _("It came from a network that is not its own."))
        throttle.count_address(
            address, kind="pull-token", limit=settings.TOKEN_FAILURES
        )
        raise unusable()
    _note_use(token, address)
    return token


def unusable() -> DomainError:
    """Say no without saying why: who guesses learns nothing."""
    return DomainError(
        _("This token is unknown, revoked, expired or not for your network."),
        _("Make a new one on the page of pull tokens."),
        code="bad_token",
        status=401,
    )


def _known(text: str) -> PullToken | None:
    """Find the usable token of a text; an unknown prefix costs as much as a wrong secret."""
    prefix, _dot, secret = text.strip().partition(".")
    known = prefix.isascii() and prefix.isalnum() and len(prefix) <= 16
    rows = PullToken.objects.filter(is_active=True, expires_at__gt=timezone.now())
    rows = rows.select_related("project", "environment__project")
    token = rows.filter(prefix=prefix).first() if known else None
    right = digest_matches(secret, token.token_hash if token else "0" * 64)
    return token if right else None


def note_refusal(token: PullToken, why: str) -> None:
    """Tell the trail that a right token was refused (the line has the address); once an hour for each reason."""
    about = ("pulltoken.refused", token.pk, why)
    if audit.is_news(*about, seconds=REFUSAL_SECONDS, without_cache=False):
        actor = audit.SystemActor(f"pull token {token.prefix}", audit_kind="visitor")
        with transaction.atomic():
            audit.record(actor, "pulltoken.refused", token, reason=why)


def note_pull(token: PullToken, what: str) -> None:
    """Tell the trail that a token fetched something with secrets in it; once an hour for the same."""
    about = ("pulltoken.pull", token.pk, what)
    if audit.is_news(*about, seconds=REFUSAL_SECONDS):
        actor = audit.SystemActor(f"pull token {token.prefix}", audit_kind="visitor")
        changes = [{"field": "what", "old": None, "new": what}]
        with transaction.atomic():
            audit.record(actor, "pulltoken.pull", token, changes=changes)


def _note_use(token: PullToken, address: str) -> None:
    """Keep when and from where it was last used, at most once in some seconds; too small for the trail."""
    now = timezone.now()
    stale = now - timedelta(seconds=LAST_USE_SECONDS)
    if token.last_used_at is None or token.last_used_at < stale:
        unnoted = models.Q(last_used_at=None) | models.Q(last_used_at__lt=stale)
        rows = PullToken.objects.filter(unnoted, pk=token.pk)
        rows.update(last_used_at=now, last_used_address=address or None)
