"""What set-up makes: the first administrator and the shipped roles."""

import secrets
from fnmatch import fnmatchcase
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import selectors, shipped
from accounts.models import Role, User
from accounts.services.users import check_password
from adminset import audit, env
from adminset.audit import SystemActor
from adminset.errors import Conflict

SETUP = SystemActor("set-up")


@transaction.atomic
def ensure_first_administrator() -> dict[str, str | None]:
    """Make the user "admin" where there is no administrator yet.

    Returns:
        {"username", "password"}; the password only when it was made here by chance: nobody can read it again.

    Raises:
        DomainError: ADMINSET_ADMIN_PASSWORD is too weak, or a user "admin" exists who is no administrator.
    """
    standing = (
        User.objects.filter(is_superuser=True).order_by("-is_active", "pk").first()
    )
    if standing is not None:
        return {"username": standing.username, "password": None}
    if User.objects.filter(username="admin").exists():
        raise Conflict(
            _("The user admin exists but is no administrator, and there is no other."),
            _("Rename that user, then start again."),
        )
    chosen = env.text("ADMINSET_ADMIN_PASSWORD")
    user = User(username="admin", is_superuser=True)
    if chosen:
        check_password(password=chosen, user=user)
    password = chosen or secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    audit.record(
        SETUP, "user.create", user, changes=audit.changed({}, audit.snapshot(user))
    )
    return {"username": user.username, "password": None if chosen else password}


@transaction.atomic
def ensure_shipped_roles() -> None:
    """Make the shipped roles, and offer them what rooms have brought since; what people took away stays away."""
    rows = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in selectors.room_permissions()
    }
    for role in shipped.ROLES:
        wanted = {n for n in rows if any(fnmatchcase(n, p) for p in role.patterns)}
        _offer(role, {name: rows[name] for name in sorted(wanted)})


def _offer(declared: shipped.ShippedRole, wanted: dict[str, Any]) -> None:
    role = Role.objects.filter(shipped=declared.key).first()
    if role is None:
        if Role.objects.filter(name=declared.key).exists():
            return  # somebody made a role of that name: it is theirs
        role = Role(
            name=declared.key, description=declared.description, shipped=declared.key
        )
    new = [name for name in wanted if name not in role.offered]
    if new:
        role.offered = sorted({*role.offered, *new})
        role.save()
        role.permissions.add(*(wanted[name] for name in new))
        changes = [{"field": "permissions", "old": [], "new": new}]
        audit.record(SETUP, "role.offer", role, changes=changes)
