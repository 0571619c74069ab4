"""People whom somebody else vouches for: made at their first sign-in, kept up to date at each, never confused with our own."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.mappings import sync_groups
from adminset import audit
from adminset.audit import SystemActor
from adminset.errors import Forbidden

UNUSABLE_NAME = 150


@dataclass(frozen=True)
class Arrival:
    """Who somebody is, as the source says.

    Attributes:
        source: "ldap" or "oidc".
        external_id: who it is there for ever: the entry's id, the issuer and subject.
        username, display_name, email: how it is called; may change.
        groups: names of its groups there.
    """

    source: str
    external_id: str
    username: str
    display_name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()


@transaction.atomic
def arrive(arrival: Arrival) -> User:
    """Give the user whom the source vouches for: the one that it vouched for before, else a new one.

    Raises:
        Forbidden: another user has that name here: somebody at the source must not become that user by it.
    """
    actor = SystemActor(str(User.Source(arrival.source).label))
    known = User.objects.filter(
        source=arrival.source, external_id=arrival.external_id
    ).first()
    user = known or _new(actor, arrival)
    _refresh(actor, user, arrival)
    sync_groups(user=user, source=arrival.source, groups=arrival.groups)
    return user


def _new(actor: SystemActor, arrival: Arrival) -> User:
    name = arrival.username.strip()[:UNUSABLE_NAME]
    if not name or User.objects.filter(username__iexact=name).exists():
        raise Forbidden(
            _("The user name %(name)s is taken here by somebody else.")
            % {"name": name},
            _("An administrator has to rename one of the two."),
            code="name_taken",
        )
    user = User(
        username=name, source=arrival.source, external_id=arrival.external_id[:500]
    )
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    changes = audit.changed({}, audit.snapshot(user))
    audit.record(actor, "user.create", user, changes=changes)
    return user


def _refresh(actor: SystemActor, user: User, arrival: Arrival) -> None:
    before = audit.snapshot(user)
    user.display_name = arrival.display_name[:150]
    user.email = arrival.email[:254] if "@" in arrival.email else ""
    changes = audit.changed(before, audit.snapshot(user))
    if changes:
        user.save(update_fields=["display_name", "email", "updated_at"])
        audit.record(actor, "user.update", user, changes=changes)
