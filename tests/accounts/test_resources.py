"""Users, roles and grants do what every resource must, and refuse what every resource must."""

from typing import Any, ClassVar

from accounts.models import Grant, Role, User
from tests.crud import ResourceTests
from tests.factories import make_group, make_user


class AccountsTests(ResourceTests):
    """The cast of a test are users, roles and grants themselves: here they stand before the counting begins."""

    def test_one_who_only_sees_may_not_add(self, client_of: Any) -> None:
        """Refuse, and make nothing."""
        self._needs("add")
        client, values = client_of(self._holder("view")), self.valid()
        before = self.model._default_manager.count()
        assert client.post(self.resource.url("add"), values).status_code == 403
        assert self.model._default_manager.count() == before


class TestUser(AccountsTests):
    """Users."""

    model = User
    edit: ClassVar = ("display_name", "Renamed Person")

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        """Make an object."""
        return User.objects.create_user(f"person{number}", None)

    def valid(self) -> dict[str, Any]:
        """Give what a person would type to add one."""
        return {"username": "newcomer", "is_active": "on", "email": "n@example.org"}


class TestRole(AccountsTests):
    """Roles."""

    model = Role

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        """Make an object."""
        return Role.objects.create(name=f"a role {number}")

    def valid(self) -> dict[str, Any]:
        """Give what a person would type to add one."""
        names = ["cmdb.view_host", "cmdb.run_host"]
        return {"name": "night shift", "permissions": names}


class TestGrant(AccountsTests):
    """Grants."""

    model = Grant
    edit: ClassVar = ("everything", True)

    def make(self, number: int = 0, *, outside: bool = False) -> Any:
        """Make an object."""
        role, _made = Role.objects.get_or_create(name="watcher")
        grant = Grant.objects.create(user=make_user(), role=role)
        group = make_group()
        grant.scopes.create(kind="cmdb.hostgroup", object_id=group.pk)
        return grant

    def valid(self) -> dict[str, Any]:
        """Give what a person would type to add one."""
        role, _made = Role.objects.get_or_create(name="watcher")
        user, group = make_user(), make_group()
        return {"user": user.pk, "role": role.pk, "cmdb_hostgroup": [group.pk]}
