"""Whoever puts hosts into an environment may run work on them; whoever deploys needs a right on the environment only."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiToken, User
from adminset.errors import Forbidden
from adminset.models import AuditEntry
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy, hosts_of, unvouched_of, vouch
from cmdb.models import HOST_GROUP_SCOPE, HostGroup
from tests.app_factories import (
    grant_on,
    make_environment,
    make_line,
    make_project,
)
from tests.factories import grant, make_dynamic, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
PERMS = [
    "appconf.view_project",
    "appconf.view_environment",
    "appconf.change_environment",
]


@pytest.fixture
def keeper() -> User:
    """Changes environments everywhere, and runs work in the group `mine` only."""
    user = make_user("keeper", perms=[*PERMS, "cmdb.view_host", "cmdb.view_hostgroup"])
    grant(user, ["cmdb.run_host"], [make_group("mine")])
    return user


def _host(name: str, *groups: str) -> Any:
    rows = HostGroup.objects.filter(name__in=groups)
    return make_host(name, groups=rows)


def _sent(environment: Environment, **values: Any) -> dict[str, Any]:
    return {
        "name": environment.name,
        "code": environment.code,
        "kind": environment.kind,
        "hosts": [],
        "groups": [],
    } | values


def _edit(browser: Client, environment: Environment, **values: Any) -> Any:
    address = f"/appconf/environments/{environment.pk}/edit/"
    return browser.post(address, _sent(environment, **values))


def test_a_host_on_which_one_may_run_comes_into_an_environment(
    client_of: Any, keeper: User
) -> None:
    host = _host("web-1", "mine")
    environment = make_environment()
    assert _edit(client_of(keeper), environment, hosts=[host.pk]).status_code == 302
    assert list(environment.hosts.all()) == [host]
    row = Environment.hosts.through.objects.get()
    assert row.added_by == keeper
    assert list(hosts_of(environment)) == [host]
    line = AuditEntry.objects.get(verb="environment.update")
    assert line.changes[0]["field"] == "hosts"


def test_a_host_on_which_one_may_not_run_stays_outside(
    client_of: Any, keeper: User
) -> None:
    host = _host("db-1")
    environment = make_environment()
    answer = _edit(client_of(keeper), environment, hosts=[host.pk])
    assert answer.status_code == 422
    assert "hosts" in answer.context["form"].errors
    assert not environment.hosts.exists()
    assert not AuditEntry.objects.filter(verb="environment.update").exists()


def test_hosts_of_others_stay_when_somebody_else_saves(
    client_of: Any, keeper: User, admin: User
) -> None:
    theirs, mine = _host("db-1"), _host("web-1", "mine")
    environment = make_environment(hosts=[theirs], by=admin)
    browser = client_of(keeper)
    assert _edit(browser, environment, hosts=[mine.pk]).status_code == 302
    assert set(environment.hosts.all()) == {theirs, mine}
    page = browser.get(f"/appconf/environments/{environment.pk}/edit/")
    assert "1 more host belongs to it" in page.content.decode()
    rows = Environment.hosts.through.objects.values_list("host", "added_by")
    assert set(rows) == {(theirs.pk, admin.pk), (mine.pk, keeper.pk)}


def test_a_group_with_a_host_on_which_one_may_not_run_stays_outside(
    client_of: Any, keeper: User
) -> None:
    group = make_group("mixed")
    _host("web-1", "mine", "mixed")
    _host("db-1", "mixed")
    environment = make_environment()
    answer = _edit(client_of(keeper), environment, groups=[group.pk])
    assert answer.status_code == 422
    assert "db-1" in str(answer.context["form"].errors)
    assert not environment.groups.exists()


def test_what_comes_into_a_group_later_counts_only_where_the_one_who_put_it_there_may_run(
    keeper: User,
) -> None:
    group = make_group("shop")
    first = _host("web-1", "mine", "shop")
    environment = make_environment(groups=[group], by=keeper)
    assert list(hosts_of(environment)) == [first]
    second, foreign = _host("web-2", "mine", "shop"), _host("db-1", "shop")
    assert set(environment.all_hosts()) == {first, second, foreign}
    assert set(hosts_of(environment)) == {first, second}
    assert list(unvouched_of(environment)) == [foreign]


def test_a_machine_enters_no_environment_by_what_it_says_of_itself(
    client_of: Any, admin: User
) -> None:
    group = make_dynamic("vendors", vendor_is=["evil"])
    make_host("liar", vendor="evil")
    environment = make_environment()
    answer = _edit(client_of(admin), environment, groups=[group.pk])
    assert answer.status_code == 422
    assert not environment.groups.exists()
    # One that became such later.
    environment.groups.add(group)
    Environment.groups.through.objects.update(added_by=admin)
    assert not hosts_of(environment).exists()


def test_groups_of_somebody_who_is_gone_deliver_to_nobody_until_another_saves(
    client_of: Any, keeper: User, admin: User
) -> None:
    group = make_group("shop")
    host = _host("web-1", "mine", "shop")
    environment = make_environment(groups=[group], by=keeper)
    keeper.is_active = False
    keeper.save()
    assert not hosts_of(environment).exists()
    page = client_of(admin).get(f"/appconf/environments/{environment.pk}/")
    assert "not delivered to" in page.content.decode()
    answer = _edit(client_of(admin), environment, groups=[group.pk])
    assert answer.status_code == 302
    assert list(hosts_of(environment)) == [host]


def test_saving_takes_no_group_over_for_who_may_not_run_on_it(
    client_of: Any, keeper: User, admin: User
) -> None:
    group = make_group("shop")
    _host("db-1", "shop")
    environment = make_environment(groups=[group], by=admin)
    admin.is_active = False
    admin.save()
    answer = _edit(
        client_of(keeper), environment, groups=[group.pk], notes="only words"
    )
    assert answer.status_code == 302
    assert Environment.groups.through.objects.get().added_by == admin
    assert not hosts_of(environment).exists()


def test_a_limited_token_puts_no_group_into_an_environment(admin: User) -> None:
    environment, group = make_environment(), make_group("shop")
    admin.token = ApiToken(
        user=admin, can_write=True, scope_ids={HOST_GROUP_SCOPE: [group.pk]}
    )
    environment.groups.add(group)
    with pytest.raises(Forbidden) as caught:
        vouch(admin, environment, [], [group.pk])
    assert caught.value.code == "limited_token"


def test_deploying_takes_a_right_on_the_environment_and_none_on_its_hosts(
    admin: User,
) -> None:
    line = make_line()
    mine = make_environment(
        make_project(product_line=line), hosts=[make_host()], by=admin
    )
    other = make_environment(hosts=[make_host()], by=admin)
    user = make_user("deployer")
    grant_on(user, ["appconf.deploy_environment"], line)
    ensure_may_deploy(user, mine)
    with pytest.raises(Forbidden) as caught:
        ensure_may_deploy(user, other)
    assert caught.value.code == "may_not_deploy"
    assert "deploy" in caught.value.hint


def test_a_right_on_the_hosts_alone_deploys_nothing(admin: User) -> None:
    group = make_group("web")
    host = make_host(groups=[group])
    environment = make_environment(hosts=[host], by=admin)
    user = make_user()
    grant(
        user,
        ["cmdb.run_host", "appconf.view_environment", "appconf.deploy_environment"],
        [group],
    )
    assert environment in Environment.objects.visible_to(user)
    with pytest.raises(Forbidden):
        ensure_may_deploy(user, environment)
