"""Who may run again what somebody else ran: the rights of a new run, and no secrets of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from cmdb.models import HostGroup
from tasks.models import Run
from tasks.services.launch import RunSpec, repeat_run, request_run
from tasks.services.specs import opened
from tests.factories import grant, make_host, make_user
from tests.tasks.library_things import make_playbook, make_role, make_script
from tests.tasks.module_things import make_module

pytestmark = pytest.mark.django_db
MADE: dict[str, Callable[[], Any]] = {
    "script": make_script,
    "playbook": make_playbook,
    "role": make_role,
}
SAYS = """\
name: says
title: {en: Says, zh: 说}
category: {en: Examples, zh: 示例}
description: Says something.
fields: []
"""


@pytest.fixture
def other(group: HostGroup) -> User:
    """May start runs on hosts of the group, and use nothing of the library."""
    perms = ["tasks.add_run", "tasks.view_run", "cmdb.run_host", "cmdb.view_host"]
    return make_user(perms=perms, groups=[group])


@pytest.fixture
def ran(admin: User, group: HostGroup) -> Callable[..., Run]:
    """Give a run of the administrator on a host of the group."""
    host = make_host("web1", groups=[group])

    def asked(**wanted: Any) -> Run:
        spec = RunSpec(host_ids=(host.pk,), **{"command": "id"} | wanted)
        return request_run(actor=admin, spec=spec)

    return asked


@pytest.mark.parametrize("kind", MADE)
def test_what_the_library_has_is_run_again_by_who_may_use_it(
    other: User, ran: Callable[..., Run], kind: str
) -> None:
    run = ran(kind=kind, command="", **{kind: MADE[kind]()})
    with pytest.raises(Forbidden, match="You may not run") as caught:
        repeat_run(actor=other, run=run)
    assert caught.value.code == "library_refused"
    assert list(Run.objects.all()) == [run]
    grant(other, [f"tasks.use_{kind}"])
    assert repeat_run(actor=other, run=run).requested_by == other


@pytest.mark.parametrize("kind", ["playbook", "role"])
def test_the_text_of_what_was_deleted_is_for_who_may_use_such_items(
    other: User, ran: Callable[..., Run], kind: str
) -> None:
    item = MADE[kind]()
    run = ran(kind=kind, command="", **{kind: item})
    text = run.playbook_text
    item.delete()
    run.refresh_from_db()
    with pytest.raises(Forbidden, match="not in the library any more"):
        repeat_run(actor=other, run=run)
    grant(other, [f"tasks.use_{kind}"])
    assert repeat_run(actor=other, run=run).playbook_text == text


@pytest.mark.parametrize(
    "action", ["command: [echo, hello]", "playbook: {library: a playbook}"]
)
def test_a_task_module_is_run_again_by_who_may_use_it_while_it_is_on(
    other: User, ran: Callable[..., Run], action: str
) -> None:
    make_playbook()
    module = make_module(f"{SAYS}{action}\n")
    run = ran(kind="task_module", command="", task_module=module)
    with pytest.raises(Forbidden, match="task modules"):
        repeat_run(actor=other, run=run)
    grant(other, ["tasks.use_taskmodule"])
    again = repeat_run(actor=other, run=run)
    assert (again.kind, again.task_module) == (run.kind, module)
    module.enabled = False
    module.save()
    run.refresh_from_db()
    for actor in (other, run.requested_by):
        with pytest.raises(DomainError, match="is off") as caught:
            repeat_run(actor=actor, run=run)
        assert caught.value.code == "module_off"
    assert Run.objects.count() == 2


def test_secrets_go_along_only_for_who_started_the_run(
    other: User, admin: User, ran: Callable[..., Run]
) -> None:
    run = ran(secret_answers={"token": "hidden-secret-value"})
    run.refresh_from_db()
    with pytest.raises(DomainError, match="admin started it, not you") as caught:
        repeat_run(actor=other, run=run)
    assert caught.value.code == "secrets_of_another"
    assert "type them yourself" in caught.value.hint
    assert list(Run.objects.all()) == [run]
    again = repeat_run(actor=admin, run=run)
    assert opened(again) == {"token": "hidden-secret-value"}
    Run.objects.update(requested_by=None)
    run.refresh_from_db()
    with pytest.raises(DomainError):
        repeat_run(actor=admin, run=run)


def test_who_has_the_rights_of_a_new_run_runs_it_again_on_the_own_hosts(
    other: User, ran: Callable[..., Run]
) -> None:
    run = ran(variables={"a": "1"})
    again = repeat_run(actor=other, run=run)
    assert (again.command, again.variables, again.requested_by) == (
        "id",
        {"a": "1"},
        other,
    )
