"""Whose grant reaches how far: nobody decides on hosts that are none of their business."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Role, User
from adminset.errors import Forbidden
from cmdb.models import Host, HostGroup
from tasks.approvals import deciding
from tasks.models import Approval
from tasks.services.launch import RunSpec, request_run
from tests.factories import grant, make_host, make_user
from tests.tasks.workflow_things import begin, make_rule, make_workflow

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
PERMS = ["tasks.view_approval", "tasks.decide_approval"]


@pytest.fixture
def hosts(group: HostGroup, other_group: HostGroup) -> list[Host]:
    return [make_host("web1", groups=[group]), make_host("db1", groups=[other_group])]


def asked(admin: User, *hosts: Host) -> Approval:
    ids = tuple(host.pk for host in hosts)
    request_run(actor=admin, spec=RunSpec(command="id", host_ids=ids))
    return Approval.objects.get()


def approve(person: User, approval: Approval) -> str:
    fresh = User.objects.get(pk=person.pk)
    return str(deciding.vote(actor=fresh, approval=approval, verdict="approve").status)


def test_where_nobody_is_named_the_grant_reaches_all_hosts(
    admin: User, hosts: list[Host], group: HostGroup, other_group: HostGroup
) -> None:
    make_rule()
    part = make_user(perms=PERMS, groups=[group])
    whole = make_user(perms=PERMS, groups=[group, other_group])
    approval = asked(admin, *hosts)
    assert not Approval.objects.visible_to(part).exists()
    with pytest.raises(Forbidden, match="not among those") as refused:
        approve(part, approval)
    assert "do not reach far enough" in refused.value.hint
    assert approval.votes.count() == 0
    assert approve(whole, approval) == "approved"


def test_who_is_named_is_told_that_the_grant_does_not_reach(
    client_of: Signed, admin: User, hosts: list[Host], group: HostGroup
) -> None:
    person = make_user(perms=PERMS, groups=[group])
    make_rule(person)
    approval = asked(admin, *hosts)
    with pytest.raises(Forbidden):
        approve(person, approval)
    client = client_of(person)
    text = client.get(approval.get_absolute_url()).content.decode()
    assert "Your grants do not reach far enough" in text
    assert (
        "Waiting for me (0)" in client.get("/tasks/approvals/inbox/").content.decode()
    )
    reader = make_user(perms=["tasks.view_approval"])
    text = client_of(reader).get(approval.get_absolute_url()).content.decode()
    assert "needs the permission tasks.decide_approval" in text
    other = make_user(perms=PERMS)
    text = client_of(other).get(approval.get_absolute_url()).content.decode()
    assert "names others" in text
    assert 'name="verdict"' not in text


def test_a_role_counts_only_where_it_is_held(
    admin: User, hosts: list[Host], group: HostGroup, other_group: HostGroup
) -> None:
    person = make_user(perms=PERMS)
    held = grant(person, ["cmdb.view_host"], [group])
    make_rule(role=Role.objects.get(pk=held.role_id))
    far = asked(admin, hosts[1])
    with pytest.raises(Forbidden):
        approve(person, far)
    Approval.objects.all().delete()
    near = asked(admin, hosts[0])
    assert approve(person, near) == "approved"


def test_without_the_permission_a_rule_for_everybody_shows_nothing(
    admin: User, hosts: list[Host], group: HostGroup
) -> None:
    make_rule()
    asked(admin, hosts[0])
    reader = make_user(perms=["tasks.view_approval"], groups=[group])
    assert not Approval.objects.visible_to(reader).exists()


def test_where_no_host_is_touched_only_the_named_or_a_grant_everywhere_decide(
    admin: User, group: HostGroup
) -> None:
    rule = make_rule(automatic=False)
    steps = {"ask": {"does": "approval", "rule": rule, "command": ""}}
    begin(admin, make_workflow(admin, steps))
    approval = Approval.objects.get()
    part = make_user(perms=PERMS, groups=[group])
    with pytest.raises(Forbidden):
        approve(part, approval)
    assert Approval.objects.visible_to(make_user(perms=PERMS), "decide").exists()
    rule.users.add(part)
    assert approve(part, approval) == "approved"


def test_an_approval_of_a_step_reaches_as_far_as_its_later_steps(
    admin: User, hosts: list[Host], group: HostGroup
) -> None:
    rule = make_rule(automatic=False)
    steps = {
        "ask": {"does": "approval", "rule": rule, "command": ""},
        "a": {"hosts": [hosts[0]]},
        "b": {"hosts": [hosts[1]]},
        "c": {"hosts_from": "b", "hosts_which": "ok"},
    }
    begin(admin, make_workflow(admin, steps, ("ask>a", "a>b", "b>c")))
    approval = Approval.objects.get()
    assert set(approval.hosts.all()) == set(hosts)
    with pytest.raises(Forbidden):
        approve(make_user(perms=PERMS, groups=[group]), approval)
