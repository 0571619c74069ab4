"""What an approval step is bound to, and what its approver reads: all that runs after it, and what it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks.approvals import deciding
from tasks.library import contents
from tasks.models import Approval, Run, WorkflowRun
from tasks.taskmodules.parsing import parse
from tasks.taskmodules.services import fill
from tasks.workflows import engine
from tests.factories import make_host, make_user
from tests.tasks.launch_things import make_template
from tests.tasks.library_things import (
    add,
    make_file,
    make_playbook,
    make_role,
    make_script,
)
from tests.tasks.module_things import make_module
from tests.tasks.workflow_things import begin, end, make_rule, make_workflow, stands

pytestmark = pytest.mark.django_db
COUNT = """\
name: count
title: Count
fields: [{name: much, label: Much, type: number}]
"""
LINE = COUNT + 'command: [head, "-n{much}"]\n'
PLAY = COUNT + "playbook: {library: counting}\n"
NAMES_ROLE = "- hosts: all\n  roles: [nginx]\n"


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss", perms=["tasks.view_approval", "tasks.decide_approval"])


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


def asked(
    admin: User, boss: User, later: dict[str, Any], **earlier: dict[str, Any]
) -> WorkflowRun:
    """Begin a workflow of earlier steps, an approval, a wait, and the step `go`."""
    steps = {
        **earlier,
        "ask": {"does": "approval", "rule": make_rule(boss, automatic=False)},
        "w": {"does": "wait", "wait_seconds": 600},
        "go": {"title": "Go", **later},
    }
    edges = tuple(f"{key}*ask" for key in earlier)
    return begin(admin, make_workflow(admin, steps, (*edges, "ask>w", "w>go")))


def approve(boss: User, run: WorkflowRun) -> None:
    waiting = Approval.objects.get(status="waiting")
    deciding.vote(actor=boss, approval=waiting, verdict="approve")
    engine.advance(run.pk)
    assert stands(run)["w"] == "running"


def after_the_wait(run: WorkflowRun) -> str:
    """Let the wait be over; gives how `go` stands then."""
    run.steps.filter(key="w").update(until=run.created_at)
    engine.advance(run.pk)
    return stands(run)["go"]


def read(title: str) -> str:
    parts = Approval.objects.latest("pk").detail["parts"]
    return str(next(part["text"] for part in parts if part["title"] == title))


def test_another_version_of_a_role_that_a_playbook_names_keeps_it_from_beginning(
    admin: User, boss: User, host: Host
) -> None:
    role = make_role("nginx")
    play = {"kind": "playbook", "playbook": make_playbook(text=NAMES_ROLE)}
    run = asked(admin, boss, {**play, "hosts": [host]})
    assert read("Go: Roles of the library") == "nginx v1"
    approve(boss, run)
    add(role, contents.of_files({"tasks/main.yml": "- command: evil\n"}))
    assert after_the_wait(run) == "failed"
    assert "the step go" in run.steps.get(key="go").explanation
    assert not Run.objects.exists()


def test_without_a_change_it_begins(admin: User, boss: User, host: Host) -> None:
    make_role("nginx")
    play = {"kind": "playbook", "playbook": make_playbook(text=NAMES_ROLE)}
    run = asked(admin, boss, {**play, "hosts": [host]})
    approve(boss, run)
    assert after_the_wait(run) == "running"


def test_another_secret_of_a_template_keeps_it_from_beginning(
    admin: User, boss: User, host: Host
) -> None:
    script = make_script()
    kind = {"kind": "script", "command": "", "script": script}
    template = make_template(host, admin, **kind, sealed='{"word": "one"}')
    run = asked(admin, boss, {"does": "template", "template": template})
    assert read("Go: Secret answers") == "word is set, and not shown."
    approve(boss, run)
    template.sealed = '{"word": "two"}'
    template.save()
    assert after_the_wait(run) == "failed"


@pytest.mark.parametrize("text", [LINE, PLAY])
def test_a_module_that_waits_for_values_is_bound_to_its_text(
    admin: User, boss: User, host: Host, text: str
) -> None:
    book = make_playbook("counting")
    module = make_module(text)
    later = {"kind": "task_module", "task_module": module, "hosts": [host]}
    later["answers"] = {"much": "${steps.ask.much}"}
    run = asked(admin, boss, later)
    assert "come from steps that have not ended" in read("Go")
    assert read("Go: Answers") == 'much = "${steps.ask.much}"'
    approve(boss, run)
    run.steps.filter(key="ask").update(values={"much": "3"})
    if text == PLAY:
        add(book, contents.of_text("- hosts: all\n  tasks: [{command: evil}]\n"))
    else:
        changed = text.replace("head", "evil")
        fill(module, changed, *parse(changed))
        module.save()
    assert after_the_wait(run) == "failed"
    assert "approved otherwise" in run.steps.get(key="go").explanation
    assert not Run.objects.exists()


def test_a_module_that_waits_for_values_begins_with_them(
    admin: User, boss: User, host: Host
) -> None:
    later = {"kind": "task_module", "task_module": make_module(LINE), "hosts": [host]}
    later["answers"] = {"much": "${steps.ask.much}"}
    run = asked(admin, boss, later)
    approve(boss, run)
    run.steps.filter(key="ask").update(values={"much": "3"})
    assert after_the_wait(run) == "running"
    assert run.steps.get(key="go").run.command == "head -n3"


def test_files_are_read_with_version_place_and_mode(
    admin: User, boss: User, host: Host, settings: Any, tmp_path: Path
) -> None:
    settings.LIBRARY_DIR = tmp_path
    rows = [{"file": make_file("motd").pk, "path": "/etc/motd", "mode": "0600"}]
    asked(admin, boss, {"kind": "files", "distribution": rows, "hosts": [host]})
    assert read("Go") == "files: web1"
    assert read("Go: Files") == 'motd v1 -> "/etc/motd" mode = "0600"'


def test_a_step_of_which_nothing_is_known_is_still_shown(
    admin: User, boss: User, host: Host
) -> None:
    run = asked(admin, boss, {"command": "", "hosts": [host]})
    assert read("Go") == "command: web1"
    assert run.steps.get(key="ask").status == "paused"


def test_values_and_hosts_of_steps_that_ended_are_shown_and_bound(
    admin: User, boss: User, host: Host
) -> None:
    later = {"hosts_from": "a", "hosts_which": "ok", "kind": "script", "command": ""}
    later |= {"script_text": "x", "script_arguments": "${steps.a.ok_hosts}"}
    run = asked(admin, boss, later, a={"hosts": [host]})
    end(run, "a")
    assert read("Go") == "script: web1"
    assert read("Go: Arguments of the script") == "web1"
    assert Approval.objects.get().detail["hosts"] == ["web1"]
    approve(boss, run)
    run.steps.filter(key="a").update(values={"ok_hosts": "evil"})
    assert after_the_wait(run) == "failed"
    words = run.steps.get(key="go").explanation
    assert "what the step a handed on" in words
    assert Approval.objects.get().status == "void"
