"""The impact picture goes on to applications: those that need a host, run on it, or need such a one; never past what its reader may see."""

from typing import Any

import pytest

from accounts.models import User
from cmdb import impact
from tests.app_factories import (
    grant_on,
    make_dependency,
    make_environment,
    make_project,
)
from tests.factories import make_cabinet, make_dynamic, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
APPS = ("project", "environment", "dependency")


def _levels(user: User, start: Any, direction: str = "down") -> dict[str, int]:
    found = impact.picture(user, start, direction)
    return {node.name: node.level for node in found.nodes.values()}


def test_what_needs_a_host_falls_with_its_cabinet_and_what_needs_that_too(
    admin: User,
) -> None:
    cabinet = make_cabinet(name="R1")
    base = make_host("db-1", cabinet=cabinet, idc=cabinet.idc)
    shop, cart, far = make_project("shop"), make_project("cart"), make_project("far")
    make_dependency(shop, base)
    make_dependency(cart, shop)
    make_dependency(far, make_host("db-2"))
    found = _levels(admin, cabinet)
    assert {name: found[name] for name in ("db-1", "shop", "cart")} == {
        "db-1": 1,
        "shop": 2,
        "cart": 3,
    }
    assert "far" not in found
    words = [s["words"] for s in impact.as_json(impact.picture(admin, base))["links"]]
    assert words == ["is needed by", "is needed by"]
    assert "shop" not in _levels(admin, base, "up")


def test_two_applications_that_need_each_other_end_the_walk(admin: User) -> None:
    base, one, two = make_host("db-1"), make_project("one"), make_project("two")
    make_dependency(one, base)
    make_dependency(one, two)
    make_dependency(two, one)
    assert _levels(admin, base) == {"db-1": 0, "one": 1, "two": 2}


def test_what_runs_on_a_host_falls_with_it_by_itself_or_by_a_group(admin: User) -> None:
    group, dynamic = make_group("web"), make_dynamic("ops")
    host = make_host("web-1", groups=[group], owner="ops")
    for name, fields in (
        ("by-itself", {"hosts": [host]}),
        ("by-group", {"groups": [group]}),
        ("by-rule", {"groups": [dynamic]}),
        ("elsewhere", {"hosts": [make_host("db-1")]}),
    ):
        make_environment(make_project(name), **fields)
    found = set(_levels(admin, host))
    assert {"by-itself", "by-group", "by-rule"} <= found
    assert "elsewhere" not in found


def test_what_the_reader_may_not_see_is_counted_and_not_named() -> None:
    base, shop, bank = make_host("db-1"), make_project("shop"), make_project("bank")
    for project in (shop, bank):
        make_dependency(project, base)
    make_dependency(make_project("cart"), bank)
    user = make_user()
    grant_on(user, ["cmdb.view_host"], base)
    grant_on(user, [f"appconf.view_{name}" for name in APPS], shop)
    found = impact.picture(user, base)
    assert {node.name for node in found.nodes.values()} == {"db-1", "shop"}
    assert len(found.hidden) == 1
    other = make_user()
    grant_on(other, ["cmdb.view_host"], base)
    grant_on(other, ["appconf.view_project"], shop)
    found = impact.picture(other, base)
    assert {node.name for node in found.nodes.values()} == {"db-1"}
    assert len(found.hidden) == 2
