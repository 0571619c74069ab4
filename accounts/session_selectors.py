"""Questions about sessions and sign-ins: which are open, who came in from where."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import PortalSession, User
from adminset.models import AuditEntry

SIGN_INS = "session."


def sessions_of(user: User) -> QuerySet[PortalSession]:
    """Give a user's own open sessions, the one used last first."""
    return PortalSession.objects.filter(user=user).of_users()


def sessions(user: User, action: str) -> QuerySet[PortalSession]:
    """Give the sessions, of anybody, on which `user` may do an action."""
    return PortalSession.objects.visible_to(user, action)


def sessions_for_list(rows: QuerySet[PortalSession]) -> QuerySet[PortalSession]:
    """Bring along whose they are."""
    return rows.select_related("user")


def sign_ins_of(user: User) -> QuerySet[AuditEntry]:
    """Give the sign-ins, refusals and ends of sessions of one user: everybody may see the own ones."""
    mine = {"target_type": user._meta.label_lower, "target_id": str(user.pk)}
    return AuditEntry.objects.filter(verb__startswith=SIGN_INS, **mine)


def came_in_from(user: User, address: str, *, since: datetime) -> bool:
    """Say whether a user signed in from an address since a moment."""
    entered = sign_ins_of(user).filter(verb="session.start", address=address)
    return bool(address) and entered.filter(at__gte=since).exists()


def told(entry: AuditEntry, field: str) -> str:
    """Give what a line about a sign-in says of the circumstances: "browser" or "method"."""
    values = (c.get("new") for c in entry.changes if c.get("field") == field)
    return str(next(values, None) or "")
