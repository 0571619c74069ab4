"""The way in when no other is left: an administrator for a few hours, made from the command line of the server."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, RecoveryCode, SecondFactor, User
from accounts.services.sessions import end_sessions
from adminset import audit
from adminset.audit import Actor

BREAK_GLASS = "break-glass"
PASSWORD_BYTES = 24


def is_open(user: User | None) -> bool:
    """Say whether this is the break-glass account, within its hours."""
    return (
        user is not None
        and user.username == BREAK_GLASS
        and user.expires_at is not None
        and user.may_sign_in
    )


@transaction.atomic
def break_glass(*, actor: Actor, hours: int) -> tuple[User, str]:
    """Make or revive the administrator "break-glass": a new random password, no second factor, over after some hours.

    Earlier sessions and API tokens of it end.

    Returns:
        The user and the password, which is kept nowhere.
    """
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user = User.objects.filter(username=BREAK_GLASS).first() or User(
        username=BREAK_GLASS, display_name="Break glass"
    )
    before = audit.snapshot(user) if user.pk else {}
    user.kind, user.source, user.external_id = User.Kind.PERSON, User.Source.LOCAL, None
    user.is_active = user.is_superuser = True
    user.must_change_password = False
    user.expires_at = timezone.now() + timedelta(hours=hours)
    user.set_password(password)
    user.save()
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    ApiToken.objects.filter(user=user, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    end_sessions(actor=actor, user=user)
    changes = audit.changed(before, audit.snapshot(user))
    audit.record(actor, "user.break_glass", user, changes=changes)
    return user, password
