"""Sites as every resource: lists, pages, export, import, REST, scope."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup
from tasks.models import Site
from tests.crud import ResourceTests
from tests.factories import make_host, make_idc, make_user
from tests.tasks.site_things import make_site


@pytest.fixture
def operator(group: HostGroup) -> User:
    """May see hosts and sites of one group."""
    perms = [
        "cmdb.view_host",
        "cmdb.view_hostgroup",
        "cmdb.view_idc",
        "tasks.view_site",
    ]
    return make_user("operator", perms=perms, groups=[group])


class TestSites(ResourceTests):
    model = Site
    scoped = True
    edit = ("notes", "renamed")

    @pytest.fixture(autouse=True)
    def _groups(self, group: HostGroup, other_group: HostGroup) -> None:
        self.inside, self.outside = group, other_group

    def make(self, number: int = 0, *, outside: bool = False) -> Site:
        jump = make_host(groups=[self.outside if outside else self.inside])
        how = "workers" if number % 2 else "jump"
        return make_site(jump, how=how, jump=jump)

    def valid(self) -> dict[str, Any]:
        return {
            "idc": make_idc().pk,
            "enabled": "on",
            "how": "workers",
            "fallback": "wait",
            "notes": "n",
        }
