"""What may be run by name alone, and what a changed playbook or an empty group does to a schedule."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from adminset.errors import Forbidden
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.ansible import _module_refusal
from tasks.ansible_modules import CONTROL
from tasks.models import Run, Schedule, Work
from tasks.scheduling.ticking import tick
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_group, make_host

pytestmark = pytest.mark.django_db
TEXT = "- hosts: all\n  tasks: []\n"


def _module(name: str, host: Any) -> RunSpec:
    return RunSpec(
        kind=Work.Kind.MODULE,
        command="",
        module=name,
        arguments="a=b",
        playbook=None,
        playbook_text="",
        title="",
        host_ids=(host.pk,),
        group_ids=(),
        timeout_seconds=60,
        forks=1,
        schedule=None,
        planned_at=None,
    )


@pytest.mark.parametrize(
    "name",
    [
        "copy",
        "ansible.builtin.template",
        "fetch",
        "script",
        "unarchive",
        "assemble",
        "include_vars",
        "community.general.archive",
    ],
)
def test_a_module_that_touches_the_portals_machine_is_not_for_everybody(
    operator: Any, group: HostGroup, name: str
) -> None:
    host = make_host(groups=[group])
    with pytest.raises(Forbidden) as caught:
        request_run(actor=operator, spec=_module(name, host))
    assert caught.value.code == "module_refused"
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "name", ["ping", "ansible.builtin.command", "service", "ansible.legacy.setup"]
)
def test_a_module_that_works_on_the_host_alone_is(
    operator: Any, group: HostGroup, name: str
) -> None:
    run = request_run(actor=operator, spec=_module(name, make_host(groups=[group])))
    assert run.module == name


@pytest.mark.parametrize("name", sorted(CONTROL))
def test_what_steers_a_play_is_run_for_nobody(admin: Any, name: str) -> None:
    with pytest.raises(Forbidden):
        request_run(actor=admin, spec=_module(f"ansible.builtin.{name}", make_host()))
    assert _module_refusal(name, "")
    assert _module_refusal(f"ansible.builtin.{name}", "")


def test_who_may_write_playbooks_may_run_any_module(admin: Any) -> None:
    assert request_run(actor=admin, spec=_module("copy", make_host())).module == "copy"


def _schedule(owner: Any, **fields: Any) -> Schedule:
    return Schedule.objects.create(
        name="nightly",
        run_as=owner,
        every_minutes=1,
        time_zone="UTC",
        enabled=True,
        timeout_seconds=60,
        forks=1,
        **fields,
    )


def test_a_group_that_is_empty_for_once_does_not_end_the_schedule(admin: Any) -> None:
    schedule = _schedule(admin, kind=Work.Kind.COMMAND, command="true")
    schedule.groups.add(make_group("empty"))
    now = timezone.now()
    assert list(tick(now)) == []
    assert list(tick(now + timedelta(minutes=3))) == []
    schedule.refresh_from_db()
    assert schedule.enabled is True
    assert schedule.notice
    assert AuditEntry.objects.filter(verb="schedule.skip").exists()
    assert not Run.objects.exists()
