"""Who may ask for what: hosts of one's own groups, limits, what is frozen, repeating."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.models import Playbook, Run, RunHost
from tasks.services.launch import RunSpec, repeat_run, request_run
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


def test_a_run_freezes_the_hosts_of_its_groups(
    operator: User, group: HostGroup
) -> None:
    one, two = make_host("one", groups=[group]), make_host("two", groups=[group])
    spec = RunSpec(command="uname -a", host_ids=(one.pk,), group_ids=(group.pk,))
    run = request_run(actor=operator, spec=spec)
    make_host("later", groups=[group])
    assert [row.host_name for row in run.hosts.all()] == ["one", "two"]
    assert run.hosts.get(host=two).address == two.address
    assert (run.status, run.host_count, run.title) == ("queued", 2, "uname -a")
    entry = AuditEntry.objects.get(verb="run.request")
    assert entry.actor == operator
    assert {"field": "what", "old": None, "new": "uname -a"} in entry.changes
    assert {"field": "hosts", "old": None, "new": ["one", "two"]} in entry.changes


def test_an_operator_cannot_run_on_a_host_of_another_group(
    operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    own, foreign = make_host(groups=[group]), make_host(groups=[other_group])
    with pytest.raises(Forbidden, match="1 of the chosen hosts"):
        request_run(
            actor=operator, spec=RunSpec(command="id", host_ids=(own.pk, foreign.pk))
        )
    with pytest.raises(DomainError, match="no host"):
        request_run(
            actor=operator, spec=RunSpec(command="id", group_ids=(other_group.pk,))
        )
    assert not Run.objects.exists()
    assert not AuditEntry.objects.exists()


def test_seeing_a_host_is_not_enough_to_run_on_it(group: HostGroup) -> None:
    user = make_user(perms=["cmdb.view_host", "tasks.add_run"], groups=[group])
    host = make_host(groups=[group])
    with pytest.raises(Forbidden):
        request_run(actor=user, spec=RunSpec(command="id", host_ids=(host.pk,)))


def test_running_on_hosts_needs_the_permission_to_start_runs(group: HostGroup) -> None:
    user = make_user(perms=["cmdb.run_host"], groups=[group])
    host = make_host(groups=[group])
    with pytest.raises(Forbidden, match="may not start"):
        request_run(actor=user, spec=RunSpec(command="id", host_ids=(host.pk,)))


def test_too_many_hosts_are_refused(admin: User, settings) -> None:
    settings.RUN_MAX_TARGETS = 2
    ids = tuple(make_host().pk for _ in range(3))
    with pytest.raises(DomainError, match="3 hosts are too many"):
        request_run(actor=admin, spec=RunSpec(command="id", host_ids=ids))


@pytest.mark.parametrize(
    "spec",
    [
        {"command": "  "},
        {"kind": "module", "module": ""},
        {"kind": "module", "module": "ping; rm -rf /"},
        {"kind": "playbook"},
        {"command": "id", "timeout_seconds": 0},
        {"command": "id", "forks": 5000},
        {"kind": "script"},
        {"kind": "role"},
        {"kind": "files"},
        {"kind": "files", "distribution": [{"file": 4711, "path": "/etc/motd"}]},
        {"kind": "task_module"},
        {"command": "id", "variables": {"ansible_connection": "local"}},
        {"command": "id", "variables": {"ANSIBLE_connection": "local"}},
        {"command": "id", "variables": {"a-b": 1}},
        {"command": "id", "variables": {"a\n": 1}},
        {"command": "id", "secret_answers": {"ansible_become_password": "x"}},
    ],
)
def test_a_run_that_cannot_be_is_refused(admin: User, spec: dict) -> None:
    with pytest.raises(DomainError):
        request_run(actor=admin, spec=RunSpec(host_ids=(make_host().pk,), **spec))
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "spec",
    [
        {"variables": {"version": "1.4"}, "secret_answers": {"version": "evil"}},
        {"answers": {"version": "1.4"}, "secret_answers": {"version": "evil"}},
        {"variables": {"path_x": "a"}, "secret_answers": {"PATH_X": "evil"}},
        {"variables": {"path_x": "a", "PATH_X": "b"}},
        {
            "kind": "module",
            "module": "ping",
            "variables": {"version": "1.4"},
            "secret_answers": {"version": "evil"},
        },
    ],
)
def test_a_name_stands_for_one_value(admin: User, spec: dict) -> None:
    wanted = {"command": "id"} | spec
    with pytest.raises(DomainError, match="more than one value") as caught:
        request_run(actor=admin, spec=RunSpec(host_ids=(make_host().pk,), **wanted))
    assert caught.value.code == "name_twice"
    assert not Run.objects.exists()


def test_ansible_tells_small_and_capital_letters_apart(admin: User) -> None:
    spec = RunSpec(
        kind="module",
        module="ping",
        variables={"version": "1.4"},
        secret_answers={"VERSION": "x"},
        host_ids=(make_host().pk,),
    )
    assert request_run(actor=admin, spec=spec).variables == {"version": "1.4"}


def test_a_run_is_repeated_with_the_text_it_had_on_the_hosts_that_failed(
    admin: User,
) -> None:
    playbook = Playbook.objects.create(name="p", content="- hosts: all")
    good, bad = make_host("good"), make_host("bad")
    spec = RunSpec(
        kind="playbook", playbook=playbook, host_ids=(good.pk, bad.pk), forks=3
    )
    run = request_run(actor=admin, spec=spec)
    RunHost.objects.filter(host=good).update(status="ok")
    Playbook.objects.update(content="- hosts: none")
    again = repeat_run(actor=admin, run=run, failed_only=True)
    assert [row.host for row in again.hosts.all()] == [bad]
    assert (again.playbook_text, again.forks, again.title) == ("- hosts: all", 3, "p")
    assert repeat_run(actor=admin, run=run).host_count == 2


def test_a_scoped_user_sees_runs_that_touch_the_scope_and_only_those_hosts(
    operator: User, admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    own, foreign = (
        make_host("own", groups=[group]),
        make_host("foreign", groups=[other_group]),
    )
    mixed = request_run(
        actor=admin, spec=RunSpec(command="id", host_ids=(own.pk, foreign.pk))
    )
    beyond = request_run(
        actor=admin, spec=RunSpec(command="id", host_ids=(foreign.pk,))
    )
    seen = Run.objects.visible_to(operator)
    assert list(seen) == [mixed]
    assert [row.host_name for row in RunHost.objects.visible_to(operator)] == ["own"]
    assert beyond not in seen
    stranger = make_user()
    assert not Run.objects.visible_to(stranger).exists()


def test_stopping_needs_all_hosts_in_the_scope_or_a_run_of_ones_own(
    admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    perms = [
        "tasks.view_run",
        "tasks.cancel_run",
        "tasks.add_run",
        "cmdb.run_host",
        "cmdb.view_host",
    ]
    user = make_user(perms=perms, groups=[group])
    own, foreign = make_host(groups=[group]), make_host(groups=[other_group])
    mixed = request_run(
        actor=admin, spec=RunSpec(command="id", host_ids=(own.pk, foreign.pk))
    )
    inside = request_run(actor=admin, spec=RunSpec(command="id", host_ids=(own.pk,)))
    mine = request_run(actor=user, spec=RunSpec(command="id", host_ids=(own.pk,)))
    assert set(Run.objects.visible_to(user, "cancel")) == {inside, mine}
    assert mixed in Run.objects.visible_to(user)
