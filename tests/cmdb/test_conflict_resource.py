"""The queue of identity conflicts does and refuses what a resource must."""

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup, IdentityConflict
from tests.crud import ResourceTests
from tests.factories import grant, make_host


class TestIdentityConflict(ResourceTests):
    model = IdentityConflict
    scoped = True

    @pytest.fixture
    def operator(self, operator: User, group: HostGroup) -> User:
        """One who sees the conflicts of one group too."""
        grant(operator, ["cmdb.view_identityconflict"], [group])
        return operator

    def make(self, number: int = 0, *, outside: bool = False) -> IdentityConflict:
        groups = [] if outside else HostGroup.objects.filter(name="web")
        count = IdentityConflict.objects.count()
        made: IdentityConflict = IdentityConflict.objects.create(
            kind="clone_suspected",
            claims={"hostname": "far-away" if outside else f"web-{count}"},
            fingerprint=f"{count:064d}",
            open_key=f"{count}",
        )
        made.hosts.add(make_host("far-away" if outside else "", groups=groups))
        return made

    def valid(self) -> dict[str, Any]:
        return {"kind": "clone_suspected"}
