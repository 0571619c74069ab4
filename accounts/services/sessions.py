"""The verbs about sessions: how they end, and when somebody was last seen in one (how they begin: door.py)."""

from django.db import transaction
from django.utils import timezone

from accounts import guards
from accounts.models import PortalSession, User
from adminset import audit
from adminset.audit import Actor, Change


@transaction.atomic
def end_session(*, actor: Actor, instance: PortalSession) -> None:
    """End one session of a user: its browser is signed out with the next request, its web sockets within seconds.

    Raises:
        Forbidden: the session is that of somebody who stands above the actor.
    """
    user = instance.user
    if user is not None and user != actor:
        guards.ensure_not_above(actor, user)
    instance.delete()
    changes = [_gone("address", instance.address), _gone("browser", instance.browser)]
    audit.record(actor, "session.end_one", user, changes=changes)


@transaction.atomic
def end_sessions(*, actor: Actor, user: User, keep: int | None = None) -> int:
    """End all sessions of a user, `keep` (the id of one) excepted; recorded when there were any.

    Returns:
        How many ended.

    Raises:
        Forbidden: the user stands above the actor.
    """
    if user != actor:
        guards.ensure_not_above(actor, user)
    others = PortalSession.objects.filter(user=user).exclude(pk=keep or 0)
    alive = others.alive().count()
    others.delete()
    if alive:
        audit.record(actor, "session.end_all", user, changes=[_gone("sessions", alive)])
    return alive


def note_seen(*, session: PortalSession) -> None:
    """Note that a person did something in a session; too small for the audit trail."""
    PortalSession.objects.filter(pk=session.pk).update(seen_at=timezone.now())


def forget_ended() -> None:
    """Forget the rows of sessions that are over; nobody can come back to them anyway."""
    PortalSession.objects.filter(expire_date__lte=timezone.now()).delete()


def _gone(field: str, value: object) -> Change:
    return {"field": field, "old": value, "new": None}
