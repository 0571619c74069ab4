"""People whom somebody else vouches for: made at their first sign-in, kept up to date at each, never confused with our own."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.mappings import sync_groups
from adminset import audit
from adminset.audit import SystemActor
from adminset.errors import Forbidden


class NameRefused(Forbidden):
    """The source vouches for somebody whose name cannot be a user's here.

    `reason` is for the trail: the name is the source's, not what was typed.
    """

    def __init__(self, name: str, message: str, hint: str, *, code: str) -> None:
        super().__init__(message, hint, code=code)
        self.reason = f"{code}: {name}"


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
        NameRefused: another user has that name here: somebody at the source must not become that user by it; or the
            name is none that a user may have.
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
    name = arrival.username.strip()
    if User.objects.filter(username__iexact=name).exists():
        raise NameRefused(
            name[:150],
            _("The user name %(name)s is taken here by somebody else.")
            % {"name": name},
            _("An administrator has to rename one of the two."),
            code="name_taken",
        )
    user = User(username=name, source=arrival.source, external_id=arrival.external_id)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise _bad_name(name[:150], error) from None
    user.save()
    changes = audit.changed({}, audit.snapshot(user))
    audit.record(actor, "user.create", user, changes=changes)
    return user


def _bad_name(name: str, error: ValidationError) -> NameRefused:
    return NameRefused(
        name,
        _("%(name)s cannot be a user name here: %(why)s")
        % {"name": name or "-", "why": " ".join(error.messages)},
        _(
            "Ask an administrator: the name has to change at the source, or be read from another attribute there."
        ),
        code="bad_name",
    )


def _refresh(actor: SystemActor, user: User, arrival: Arrival) -> None:
    before = audit.snapshot(user)
    user.display_name = arrival.display_name.replace("\x00", "")[:150]
    user.email = _mail(arrival.email)
    changes = audit.changed(before, audit.snapshot(user))
    if changes:
        user.save(update_fields=["display_name", "email", "updated_at"])
        audit.record(actor, "user.update", user, changes=changes)


def _mail(address: str) -> str:
    """Give a mail address that can be kept, "" where it is none."""
    try:
        return str(User._meta.get_field("email").clean(address, None))
    except ValidationError:
        return ""
