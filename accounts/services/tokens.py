"""The verbs about API tokens: made, replaced by a new one, revoked, refused."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypedDict, Unpack, cast

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import guards
from accounts.models import ApiToken, User
from accounts.token_models import default_days
from adminset import audit
from adminset.audit import Actor
from adminset.crypto import digest
from adminset.errors import Conflict, Forbidden

# A token from a network that is not its own is told once in this time.
REFUSAL_SECONDS = 3600


class TokenLimits(TypedDict, total=False):
    """What a token may less than its user; what is left out limits nothing, but it only reads unless told otherwise."""

    can_write: bool
    # The only permissions that it has ("cmdb.view_host").
    permissions: Iterable[str]
    # The only objects that it reaches: kind of scope -> ids.
    scope_ids: Mapping[str, Collection[int]]
    # The only networks from which it works.
    networks: Iterable[str]


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    user: User,
    name: str,
    days: int | None = None,
    **limits: Unpack[TokenLimits],
) -> tuple[ApiToken, str]:
    """Make a token that speaks for a user.

    Args:
        days: until it expires; default: as the settings say.
        limits: what it may less than its user.

    Returns:
        The token and its text "<prefix>.<secret>", which is kept nowhere.

    Raises:
        DomainError: the actor may not make tokens for this user, or is spoken for by a token.
    """
    ensure_may_make(actor, user)
    scopes = limits.get("scope_ids", {})
    return _make(
        actor,
        user=user,
        name=name,
        can_write=limits.get("can_write", False),
        permissions=sorted(set(limits.get("permissions", ()))),
        scope_ids={kind: sorted(ids) for kind, ids in scopes.items() if ids},
        networks=list(limits.get("networks", ())),
        expires_at=timezone.now()
        + timedelta(days=default_days() if days is None else days),
    )


def ensure_may_make(actor: Actor, user: User) -> None:
    """Let people make tokens for themselves, and for service accounts that do not stand above them.

    Raises:
        DomainError: a token asks, the user is another person, or stands above the actor.
    """
    if not isinstance(actor, User):
        return
    _ensure_in_person(actor)
    if actor == user:
        return
    if user.kind != User.Kind.SERVICE:
        raise Conflict(
            _("%(name)s is a person and makes their own API tokens.") % {"name": user},
            _("Make a service account for a machine, and a token for that."),
            code="not_a_service_account",
        )
    guards.ensure_not_above(actor, user)


def _ensure_in_person(actor: User) -> None:
    """Keep a stolen token from living on in others."""
    if actor.token is not None:
        raise Forbidden(
            _("A token cannot make tokens."),
            _("Sign in and make it on the pages."),
            code="session_only",
        )


def _make(actor: Actor, **fields: Any) -> tuple[ApiToken, str]:
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(prefix=prefix, secret_hash=digest(secret), **fields)
    changes = audit.changed({}, audit.snapshot(token))
    audit.record(actor, "apitoken.create", token, changes=changes)
    return token, f"{prefix}.{secret}"


@transaction.atomic
def rotate_token(*, actor: Actor, token: ApiToken) -> tuple[ApiToken, str]:
    """Replace a token by one with the same limits and a life of the same length; the old one works a little longer.

    Returns:
        The new token and its text, which is kept nowhere.

    Raises:
        DomainError: it is revoked, expired or replaced already, or not the actor's to replace.
    """
    old = ApiToken.objects.select_for_update().select_related("user").get(pk=token.pk)
    ensure_may_make(actor, old.user)
    _ensure_replaceable(old)
    now = timezone.now()
    life = old.expires_at - old.created_at
    made = _make(
        actor,
        user=old.user,
        name=old.name,
        can_write=old.can_write,
        permissions=old.permissions,
        scope_ids=old.scope_ids,
        networks=old.networks,
        replaces=old,
        expires_at=now + min(life, timedelta(days=settings.TOKEN_MAX_DAYS)),
    )
    before = audit.snapshot(old)
    overlap = timedelta(hours=settings.TOKEN_OVERLAP_HOURS)
    old.expires_at = min(old.expires_at, now + overlap)
    old.save(update_fields=["expires_at", "updated_at"])
    changes = audit.changed(before, audit.snapshot(old))
    audit.record(actor, "apitoken.rotate", old, changes=changes)
    return made


def _ensure_replaceable(token: ApiToken) -> None:
    if token.state != "usable":
        raise Conflict(
            _("%(name)s is revoked or expired.") % {"name": token},
            _("Make a new token instead."),
            code="not_usable",
        )
    if new := token.replaced_by.first():
        raise Conflict(
            _("%(name)s is already replaced by %(new)s.") % {"name": token, "new": new},
            _("Rotate the new one, or revoke it."),
            code="already_replaced",
        )


@transaction.atomic
def revoke_token(*, actor: Actor, instance: models.Model) -> None:
    """End a token now; a token that is revoked stays so.

    Raises:
        Forbidden: its user stands above the actor.
    """
    token = cast("ApiToken", instance)
    if actor != token.user:
        guards.ensure_not_above(actor, token.user)
    now = timezone.now()
    rows = ApiToken.objects.filter(pk=instance.pk, revoked_at=None)
    if rows.update(revoked_at=now, updated_at=now):
        change = {"field": "revoked_at", "old": None, "new": now.isoformat()}
        audit.record(actor, "apitoken.revoke", instance, changes=[change])


def end_tokens(*, actor: Actor, user: User) -> None:
    """Revoke all tokens of a user: what they were made for holds no more."""
    for token in ApiToken.objects.usable().filter(user=user).select_related("user"):
        revoke_token(actor=actor, instance=token)


def note_refusal(*, token: ApiToken) -> None:
    """Tell the trail that a right token came from a wrong network (the line has the address); once an hour for each token."""
    about = ("apitoken.refused", token.pk)
    if audit.is_news(*about, seconds=REFUSAL_SECONDS, without_cache=False):
        with transaction.atomic():
            audit.record(token.user, "apitoken.refused", token)


def note_use(*, token: ApiToken, address: str, seconds: int) -> None:
    """Keep when and from where a token was last used, at most once in some seconds; too small for the audit trail."""
    now = timezone.now()
    stale = now - timedelta(seconds=seconds)
    if token.last_used_at is None or token.last_used_at < stale:
        rows = ApiToken.objects.filter(pk=token.pk)
        unnoted = models.Q(last_used_at=None) | models.Q(last_used_at__lt=stale)
        rows.filter(unnoted).update(last_used_at=now, last_used_address=address or None)
