"""Under which rules a run falls, and what the approvers are shown."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from cmdb.models import Host, HostGroup, Tag
from tasks.approvals import deciding
from tasks.approvals.asking import needs_approval
from tasks.models import Approval, ApprovalRule, Run
from tasks.services.claim import claim_run
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host, make_user
from tests.tasks.library_things import make_file, make_role
from tests.tasks.module_things import make_module
from tests.tasks.workflow_things import make_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


def ask(actor: User, host: Host, **wanted: Any) -> Run:
    return request_run(
        actor=actor, spec=RunSpec(**{"command": "id", "host_ids": (host.pk,)} | wanted)
    )


def test_without_a_rule_nothing_waits(admin: User, host: Host) -> None:
    run = ask(admin, host)
    assert needs_approval(run) is None
    assert claim_run(pk=run.pk, worker="w") is not None


@pytest.mark.parametrize(
    ("fields", "falls"),
    [
        ({}, True),
        ({"kinds": ["command"]}, True),
        ({"kinds": ["playbook", "role"]}, False),
        ({"enabled": False}, False),
        ({"automatic": False}, False),
        ({"critical": True}, False),
    ],
)
def test_a_rule_applies_by_kind(
    admin: User, host: Host, fields: dict[str, Any], falls: bool
) -> None:
    make_rule(**fields)
    assert (needs_approval(ask(admin, host)) is not None) is falls


@pytest.mark.parametrize("kind", ["task_module", "command"])
def test_work_of_a_task_module_falls_under_rules_for_both_kinds(
    admin: User, host: Host, kind: str
) -> None:
    make_rule(kinds=[kind])
    asked = {"kind": "task_module", "task_module": make_module(), "command": ""}
    run = ask(admin, host, **asked)
    assert run.kind == "command"
    assert needs_approval(run) is not None
    assert claim_run(pk=run.pk, worker="w") is None


def test_a_rule_applies_by_group_or_tag_of_one_host(
    admin: User, host: Host, group: HostGroup, other_group: HostGroup
) -> None:
    tag = Tag.objects.create(name="payment")
    rule = make_rule()
    rule.host_groups.add(other_group)
    rule.tags.add(tag)
    assert needs_approval(ask(admin, host)) is None
    far = make_host("db1", groups=[other_group], address="192.0.2.2")
    assert needs_approval(ask(admin, host, host_ids=(host.pk, far.pk)))
    host.tags.add(tag)
    assert needs_approval(ask(admin, host))


@pytest.mark.parametrize("how", ["tag", "field"])
def test_a_rule_applies_to_critical_hosts(admin: User, host: Host, how: str) -> None:
    make_rule(critical=True)
    if how == "tag":
        host.tags.add(Tag.objects.create(name="critical"))
    else:
        Host.objects.filter(pk=host.pk).update(custom={"criticality": "High"})
    approval = needs_approval(ask(admin, host))
    assert approval is not None
    assert approval.detail["sentence"] == "1 host in 1 group; 1 of them is critical."


def test_the_approver_sees_what_runs_where_and_no_secret(
    admin: User, host: Host
) -> None:
    make_rule()
    run = ask(
        admin,
        host,
        kind="module",
        module="ping",
        arguments="data=x",
        command="",
        variables={"release": "1"},
        secret_answers={"token": "hidden-secret-value"},
    )
    approval = Approval.objects.get(object_id=run.pk)
    text = str(approval.detail)
    assert 'release = "1"' in text
    assert "ping data=x" in text
    assert "token is set, and not shown." in text
    assert "hidden-secret-value" not in text
    assert approval.detail["hosts"] == ["web1"]


def test_nothing_that_runs_is_hidden_from_the_approver(admin: User, host: Host) -> None:
    make_rule()
    text = "echo \u202ehs.live\u2066 #\u200b"
    ask(admin, host, command=text, variables={"note": "x\nversion = 1.4"})
    parts = {part["title"]: part["text"] for part in shown()}
    assert parts["Command"] == "echo [U+202E]hs.live[U+2066] #[U+200B]"
    # A line end in a value makes no line of its own.
    assert parts["Variables"] == 'note = "x\\nversion = 1.4"'


def test_what_is_too_long_to_be_shown_is_said(
    admin: User, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.approvals.asking.CHARACTERS", 3)
    make_rule()
    ask(admin, host, command="id; reboot")
    assert shown()[0]["text"] == "id;\n[7 further characters are not shown here.]"


def test_the_approver_reads_versions_files_and_how_it_runs(
    admin: User, host: Host, settings: Any, tmp_path: Any
) -> None:
    settings.LIBRARY_DIR = tmp_path
    make_rule()
    file = make_file("motd")
    rows = [{"file": file.pk, "path": "/etc/motd", "owner": "root", "mode": "0644"}]
    ask(admin, host, kind="files", command="", distribution=rows, batches="1")
    ask(admin, host, kind="role", command="", role=make_role("web"))
    files, role = Approval.objects.order_by("pk")
    parts = {part["title"]: part["text"] for part in files.detail["parts"]}
    assert parts["Files"] == 'motd v1 -> "/etc/motd" mode = "0644", owner = "root"'
    assert 'batches = "1"' in parts["How it runs"]
    parts = {part["title"]: part["text"] for part in role.detail["parts"]}
    assert parts["From the library"] == "web v1"
    assert parts["The role's file tasks/main.yml"] == "- ping:\n"


def shown() -> list[dict[str, str]]:
    parts: list[dict[str, str]] = Approval.objects.get().detail["parts"]
    return parts


def test_two_rules_want_two_words(admin: User, host: Host) -> None:
    perms = ["tasks.view_approval", "tasks.decide_approval"]
    first, second = make_user(perms=perms), make_user(perms=perms)
    make_rule(first)
    make_rule(second)
    run = ask(admin, host)
    for person in (first, second):
        assert claim_run(pk=run.pk, worker="w") is None
        approval = Approval.objects.visible_to(person, "decide").get()
        deciding.vote(actor=person, approval=approval, verdict="approve")
        run.parts.update(status="queued")
    assert claim_run(pk=run.pk, worker="w") is not None


def test_a_refused_run_leaves_no_other_question_open(admin: User, host: Host) -> None:
    person = make_user(perms=["tasks.view_approval", "tasks.decide_approval"])
    make_rule(person)
    make_rule(person)
    ask(admin, host)
    deciding.vote(
        actor=person, approval=Approval.objects.first(), verdict="refuse", comment="no"
    )
    assert sorted(Approval.objects.values_list("status", flat=True)) == [
        "cancelled",
        "refused",
    ]


def test_a_rule_that_goes_leaves_the_question_to_expire(
    admin: User, host: Host
) -> None:
    person = make_user(perms=["tasks.view_approval", "tasks.decide_approval"])
    rule = make_rule(person)
    run = ask(admin, host)
    ApprovalRule.objects.filter(pk=rule.pk).delete()
    with pytest.raises(DomainError):
        deciding.vote(actor=person, approval=Approval.objects.get(), verdict="approve")
    assert claim_run(pk=run.pk, worker="w") is None
