"""The verbs about API tokens: made, changed for a new one, revoked."""

import secrets
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from accounts.models import ApiToken, User
from adminset import audit
from adminset.audit import Actor
from adminset.crypto import digest

TOKEN_DAYS = 90


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    user: User,
    name: str,
    days: int = TOKEN_DAYS,
    can_write: bool = False,
) -> tuple[ApiToken, str]:
    """Make a token that speaks for a user.

    Args:
        days: until it expires.

    Returns:
        The token and its text "<prefix>.<secret>", which is kept nowhere.
    """
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        secret_hash=digest(secret),
        can_write=can_write,
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(
        actor,
        "apitoken.create",
        token,
        changes=audit.changed({}, audit.snapshot(token)),
    )
    return token, f"{prefix}.{secret}"


@transaction.atomic
def revoke_token(*, actor: Actor, instance: models.Model) -> None:
    """End a token now; a token that is revoked stays so."""
    now = timezone.now()
    rows = ApiToken.objects.filter(pk=instance.pk, revoked_at=None)
    if rows.update(revoked_at=now, updated_at=now):
        change = {"field": "revoked_at", "old": None, "new": now.isoformat()}
        audit.record(actor, "apitoken.revoke", instance, changes=[change])
