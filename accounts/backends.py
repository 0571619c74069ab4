"""Signs users in by password; permissions are asked of the user itself."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts import directory
from accounts.models import User
from accounts.services.external import Arrival, arrive
from accounts.services.mappings import names_of


class RoleBackend(BaseBackend):
    """Passwords against our own users; a missing user costs as much time as a wrong password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str = "",
        password: str = "",
        **_: Any,
    ) -> User | None:
        """Give the user whose name and password these are, if it may sign in."""
        user = User.objects.filter(username=username).first()
        if user is None or user.source != User.Source.LOCAL:
            User().set_password(password)
            return None
        right = user.check_password(password)
        comes_in = user.may_sign_in and user.kind == User.Kind.PERSON
        return user if right and comes_in else None

    def get_user(self, user_id: int) -> User | None:
        """Give the signed-in user; one that may no longer sign in, or became a service account, is nobody."""
        people = User.objects.active().filter(kind=User.Kind.PERSON)
        return people.filter(pk=user_id).first()


class LdapBackend(BaseBackend):
    """Passwords against the directory, for names that are no local user's."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str = "",
        password: str = "",
        found: Callable[[str], None] | None = None,
        **_: Any,
    ) -> User | None:
        """Give the user whom the directory vouches for, if it may sign in.

        Args:
            found: as of `directory.prove`.

        Raises:
            DirectoryAwayError: nobody can be asked.
            NameRefused: the name is taken here, or cannot be a user's.
        """
        if not directory.is_configured() or _is_local(username):
            return None
        person = directory.prove(username, password, found)
        if person is None or not _is_member(person.groups):
            return None
        user = arrive(
            Arrival(
                source=User.Source.LDAP,
                external_id=person.unique_id,
                username=person.username,
                display_name=person.display_name,
                email=person.email,
                groups=person.groups,
            )
        )
        return user if user.may_sign_in else None

    def get_user(self, user_id: int) -> None:
        """Leave sessions to RoleBackend."""


def _is_local(username: str) -> bool:
    local = User.objects.filter(source=User.Source.LOCAL)
    return bool(local.filter(username__iexact=username).exists())


def _is_member(groups: tuple[str, ...]) -> bool:
    required = settings.LDAP_REQUIRE_GROUP.strip().casefold()
    return not required or any(required in names_of(group) for group in groups)
