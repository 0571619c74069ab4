"""A module with answers becomes a command, a script or a playbook; what it comes to is safe."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from cmdb.models import HostGroup
from tasks.models import Playbook, TaskModule
from tasks.services.specs import RunSpec
from tasks.taskmodules.resolving import resolve
from tests.factories import grant, make_host, make_user
from tests.tasks.module_things import make_module

pytestmark = pytest.mark.django_db


def resolved(
    text: str, user: User, secrets: dict[str, str] | None = None, **answers: Any
) -> RunSpec:
    """Resolve a definition with answers."""
    spec = RunSpec(
        kind="task_module",
        task_module=make_module(text),
        answers=answers,
        secret_answers=secrets or {},
    )
    return resolve(spec, user)


def test_other_work_stays_as_it_is(admin: User) -> None:
    spec = RunSpec(command="uptime")
    assert resolve(spec, admin) is spec


def test_a_command_has_its_values_as_quoted_words(admin: User) -> None:
    text = (
        "name: a\ntitle: {en: Look, zh: 看}\nrepeatable: true\ntimeout_seconds: 60\nbatches: 1 50%\n"
        "fields: [{name: x}, {name: n, type: number}, "
        "{name: many, type: multi_select, choices: [a b, c]}, "
        "{name: force, type: checkbox, on: [--force, '--really now'], off: []}]\n"
        "command: [tool, '--x={x}', -n, '{n}', '{force}', --, '{many}']\n"
    )
    spec = resolved(text, admin, x="$(id) 'y'", n=3, many=["a b", "c"], force=True)
    assert spec.kind == "command"
    assert spec.command == (
        "tool '--x=$(id) '\"'\"'y'\"'\"'' -n 3 --force '--really now' -- 'a b' c"
    )
    assert (spec.title, spec.timeout_seconds, spec.batches) == ("Look", 60, "1 50%")
    assert spec.repeatable
    assert spec.task_module.name == "a"
    assert spec.answers["x"] == "$(id) 'y'"


def test_a_text_command_is_filled_where_it_stands(admin: User) -> None:
    text = "name: a\ntitle: t\nfields: [{name: x}]\ncommand: ls -- {x} | wc -l\n"
    assert resolved(text, admin, x="a; id").command == "ls -- 'a; id' | wc -l"


def test_a_script_has_its_values_as_texts_and_arguments(admin: User) -> None:
    text = (
        "name: a\ntitle: t\nbecome: false\nfields: [{name: x, dash: true}, {name: t, type: secret}, "
        "{name: many, type: multi_select, choices: [a, b]}, {name: sure, type: checkbox}]\n"
        "script: {language: python, text: print(1), arguments: ['{x}', '--all={x}', '{many}']}\n"
    )
    spec = resolved(text, admin, {"t": "s3cret"}, x="-a 'b", many=["a", "b"], sure=True)
    assert (spec.kind, spec.language, spec.script_text) == (
        "script",
        "python",
        "print(1)",
    )
    assert spec.script_arguments == "'-a '\"'\"'b' '--all=-a '\"'\"'b' a b"
    assert spec.answers == {"x": "-a 'b", "many": "a\nb", "sure": "true"}
    assert spec.secret_answers == {"t": "s3cret"}
    assert spec.options == {"become": False}


def test_a_playbook_has_its_values_as_variables(admin: User) -> None:
    text = (
        "name: a\ntitle: t\nfields: [{name: n, type: number}, {name: sure, type: checkbox}, {name: t, type: secret}]\n"
        "playbook: '- hosts: all'\n"
    )
    spec = resolved(text, admin, {"t": "s3cret"}, n=3, sure=True)
    assert (spec.kind, spec.playbook_text) == ("playbook", "- hosts: all")
    assert spec.variables == {"n": 3, "sure": True}
    assert spec.secret_answers == {"t": "s3cret"}


def test_a_playbook_of_the_library_is_found_by_its_name(admin: User) -> None:
    text = "name: a\ntitle: t\nplaybook: {library: deploy}\n"
    with pytest.raises(DomainError, match="no playbook deploy"):
        resolved(text, admin)
    TaskModule.objects.all().delete()
    playbook = Playbook.objects.create(name="deploy", content="- hosts: all")
    assert resolved(text, admin).playbook == playbook


def test_a_host_brings_its_address_and_a_group_its_hosts(
    admin: User, operator: User, group: HostGroup
) -> None:
    text = (
        "name: a\ntitle: t\nfields: [{name: peer, type: host}, {name: team, type: group}]\n"
        "command: [ping, --, '{peer}', '{peer_address}', '{team}', '{team_hosts}']\n"
    )
    grant(operator, ["tasks.use_taskmodule"], [group])
    make_host("web2", groups=[group])
    make_host("web1", groups=[group], address="10.0.0.1")
    spec = resolved(text, operator, peer="web1", team="web")
    assert spec.command == "ping -- web1 10.0.0.1 web web1 web2"
    assert spec.answers["team_hosts"] == ["web1", "web2"]
    # What a run keeps can be asked for again as it stands.
    again = RunSpec(
        kind="task_module", task_module=spec.task_module, answers=spec.answers
    )
    assert resolve(again, operator).command == spec.command


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("[rm, '{x}']", True),
        ("[rm, -r, '{x}']", True),
        ("[rm, --, '{x}']", False),
        ("[rm, '--only={x}']", False),
        ("rm {x}", True),
        ("rm -- {x}", False),
        ("rm -- a; rm {x}", True),
    ],
)
def test_a_value_never_becomes_an_option(
    admin: User, command: str, refused: bool
) -> None:
    text = (
        f"name: a\ntitle: t\nfields: [{{name: x, label: File}}]\ncommand: {command}\n"
    )
    if not refused:
        assert "-rf" in resolved(text, admin, x="-rf").command
        return
    with pytest.raises(DomainError) as caught:
        resolved(text, admin, x="-rf")
    assert set(caught.value.fields) == {"x"}
    assert "cannot begin with a dash" in caught.value.hint


def test_names_of_hosts_and_groups_never_become_options(admin: User) -> None:
    text = "name: a\ntitle: t\nfields: [{name: peer, type: host}]\ncommand: [ping, '{peer}']\n"
    make_host("-oProxyCommand=id")
    with pytest.raises(DomainError, match="not right"):
        resolved(text, admin, peer="-oProxyCommand=id")


def test_answers_that_nobody_asked_for_are_refused(admin: User) -> None:
    text = "name: a\ntitle: t\nscript: 'true'\n"
    with pytest.raises(DomainError) as caught:
        resolved(text, admin, PATH="/x")
    assert caught.value.fields == {"PATH": "The module has no such field."}


def test_only_who_may_use_modules_runs_them(group: HostGroup) -> None:
    text = "name: a\ntitle: t\nscript: 'true'\n"
    some = make_user(perms=["tasks.use_taskmodule"], groups=[group])
    assert resolved(text, some).kind == "script"
    TaskModule.objects.all().delete()
    with pytest.raises(Forbidden):
        resolved(text, make_user(perms=["tasks.view_taskmodule", "tasks.add_run"]))


def test_a_module_that_is_off_or_broken_says_so(admin: User) -> None:
    module = make_module(enabled=False)
    with pytest.raises(DomainError, match="is off"):
        resolve(RunSpec(kind="task_module", task_module=module), admin)
    module.enabled, module.definition = True, {"name": "x"}
    module.save()
    with pytest.raises(DomainError, match="is broken"):
        resolve(RunSpec(kind="task_module", task_module=module), admin)
    with pytest.raises(DomainError, match="nothing to run"):
        resolve(RunSpec(kind="task_module"), admin)


def test_wrong_answers_name_their_fields_and_no_secret(admin: User) -> None:
    text = (
        "name: a\ntitle: t\nfields: [{name: t, type: secret, pattern: '[0-9]+'}, {name: n, type: number}]\n"
        "script: 'true'\n"
    )
    with pytest.raises(DomainError) as caught:
        resolved(text, admin, {"t": "s3cret"}, n="x")
    assert set(caught.value.fields) == {"t", "n"}
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {caught.value.fields}"
