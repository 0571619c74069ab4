"""Signs users in by password; permissions are asked of the user itself."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import User


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
        if user is None:
            User().set_password(password)
            return None
        right = user.check_password(password)
        comes_in = user.may_sign_in and user.kind == User.Kind.PERSON
        return user if right and comes_in else None

    def get_user(self, user_id: int) -> User | None:
        """Give the signed-in user; one that may no longer sign in, or became a service account, is nobody."""
        people = User.objects.active().filter(kind=User.Kind.PERSON)
        return people.filter(pk=user_id).first()
