"""Rules that keep rights where they are: nobody raises anybody above himself, and an administrator always remains."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import access
from accounts.models import User
from adminset.audit import Actor
from adminset.errors import Conflict, Forbidden

ABOVE = "above_yourself"


def is_unlimited(actor: Actor) -> bool:
    """Say whether no rule of rank binds the actor: an administrator, or the system itself."""
    return not isinstance(actor, User) or actor.is_unlimited


def ensure_may_give(
    actor: Actor, permissions: Iterable[str], until: datetime | None = None
) -> None:
    """Let pass only who holds all these permissions everywhere, and until then at least.

    Args:
        until: when what is given ends; None: never.

    Raises:
        Forbidden: names what is missing, or held too shortly.
    """
    permissions = set(permissions)
    ensure_holds(actor, permissions)
    if is_unlimited(actor) or not isinstance(actor, User):
        return
    ends = access.ends_of(actor)
    held = [ends[name] for name in permissions & set(ends)]
    last = min([*held, *filter(None, [actor.expires_at])], default=None)
    if last is not None and permissions and (until is None or until > last):
        raise Forbidden(
            _(
                "You hold this yourself until %(end)s only, and cannot give it for longer."
            )
            % {"end": date_format(timezone.localtime(last), "DATETIME_FORMAT")},
            _("Choose an earlier end, or ask an administrator."),
            code=ABOVE,
        )


def ensure_holds(actor: Actor, permissions: Iterable[str]) -> None:
    """Let pass only who holds all these permissions everywhere.

    Raises:
        Forbidden: names what is missing.
    """
    if is_unlimited(actor) or not isinstance(actor, User):
        return
    missing = sorted(
        name for name in permissions if not actor.scope_of(name).everything
    )
    if missing:
        more = ", ..." if len(missing) > 5 else ""
        raise Forbidden(
            _(
                "You may not give, change or take away what you do not hold everywhere yourself: %(names)s."
            )
            % {"names": ", ".join(missing[:5]) + more},
            _("Ask an administrator."),
            code=ABOVE,
        )


def ensure_administrator(actor: Actor) -> None:
    """Let pass only who may make or change an administrator.

    Raises:
        Forbidden: the actor is not one.
    """
    if not is_unlimited(actor):
        raise Forbidden(
            _("Only an administrator may make, change or remove an administrator."),
            _("Ask an administrator."),
            code=ABOVE,
        )


def ensure_not_above(actor: Actor, user: User) -> None:
    """Let pass only who may do all that the user may do (even one who may not sign in now).

    Otherwise a new password would lend the user's rights to the actor.

    Raises:
        Forbidden: the user stands above the actor.
    """
    if is_unlimited(actor) or not isinstance(actor, User):
        return
    if user.is_superuser:
        ensure_administrator(actor)
    theirs = access.permissions_of(user, later_too=True)
    if not all(
        access.covers(actor.scope_of(name), scope) for name, scope in theirs.items()
    ):
        raise Forbidden(
            _("%(name)s may do more than you: you may not change this account.")
            % {"name": user},
            _("Ask an administrator."),
            code=ABOVE,
        )


def ensure_administrator_remains(user: User) -> None:
    """Let a user stop being an administrator only when another one remains who may sign in. Call it in a transaction.

    Raises:
        Conflict: there is no other.
    """
    lasting = User.objects.filter(expires_at=None, kind=User.Kind.PERSON)
    active = lasting.select_for_update().filter(is_superuser=True, is_active=True)
    if not set(active.values_list("pk", flat=True)) - {user.pk}:
        raise Conflict(
            _("%(name)s is the last administrator who may sign in.") % {"name": user},
            _("Make another user an administrator first."),
            code="last_administrator",
        )
