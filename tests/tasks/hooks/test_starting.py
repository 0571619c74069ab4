"""What a message starts: where rules hold, with its values, and never with what a template fixes or a form refuses."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks.models import InHook, InHookDelivery, Run, TaskModule, WorkflowRun
from tests.contract.operations import HOSTILE
from tests.factories import make_host
from tests.tasks.hooks.hook_things import call, make_hook
from tests.tasks.injection_corpus import CORPUS, against
from tests.tasks.launch_things import make_module, make_template
from tests.tasks.workflow_things import make_workflow

pytestmark = pytest.mark.django_db
RELEASE = {"action": "published", "release": {"tag_name": "v1.4"}}


def last() -> InHookDelivery:
    return InHookDelivery.objects.latest("pk")


def rule(field: str, path: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "path": path, "optional": False, **more}


def test_a_message_for_which_a_rule_does_not_hold_is_left_alone(hook: InHook) -> None:
    InHook.objects.update(
        match=[{"path": "action", "operator": "equals", "value": "published"}]
    )
    answer = call(hook, {**RELEASE, "action": "created"})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "left")
    assert last().words == "It does not hold that action is published: found created."
    assert call(hook, RELEASE).status_code == 202
    assert Run.objects.count() == 1


def test_only_wanted_events_start_something(hook: InHook) -> None:
    InHook.objects.update(events=["release"])
    assert call(hook, RELEASE, event="push").json()["verdict"] == "left"
    assert call(hook, RELEASE).json()["verdict"] == "left"
    assert call(hook, RELEASE, event="release").status_code == 202


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 5000, b'{"a": NaN}', b"\xff", b'{"a": "\\ud800"}', b"1" * 5000],
)
def test_what_cannot_be_read_starts_nothing(hook: InHook, body: bytes) -> None:
    assert call(hook, body).status_code == 422
    assert last().verdict == "refused"
    assert not Run.objects.exists()


@pytest.mark.parametrize("message", [{}, [], 3, None, {"release": {"tag_name": {}}}])
def test_a_message_that_lacks_a_value_starts_nothing(
    hook: InHook, message: Any
) -> None:
    assert call(hook, message).status_code == 422
    assert "word" in last().words


def test_a_template_takes_what_it_leaves_open(
    admin: User, host: Host, module: TaskModule
) -> None:
    template = make_template(
        None,
        admin,
        kind="task_module",
        task_module=module,
        answers={"word": "own"},
        ask=["answers", "hosts"],
    )
    names = [rule("answers.word", "release.tag_name"), rule("hosts", "on")]
    hook = make_hook(admin, template=template, extract=names)
    answer = call(hook, {**RELEASE, "on": ["web1"]})
    assert answer.status_code == 202, last().words
    run = Run.objects.get()
    assert (run.command, run.hosts.get().host_name) == ("echo v1.4", "web1")
    assert call(hook, {**RELEASE, "on": ["web2"]}).status_code == 422
    assert call(hook, {**RELEASE, "on": "*"}).status_code == 422
    assert Run.objects.count() == 1


def test_a_template_that_was_closed_meanwhile_takes_nothing(
    admin: User, host: Host
) -> None:
    template = make_template(host, admin, ask=["command"])
    hook = make_hook(admin, template=template)
    for field in ("command", "forks", "host_filter", "answers.x", "variables.x"):
        InHook.objects.update(extract=[rule(field, "release.tag_name")])
        assert call(hook, RELEASE).status_code == 422, field
    assert not Run.objects.exists()


def test_a_workflow_starts_with_variables(admin: User) -> None:
    workflow = make_workflow(admin, {"a": {}}, variables={"tag": "", "more": "x"})
    hook = make_hook(
        admin,
        does="workflow",
        workflow=workflow,
        extract=[rule("tag", "release.tag_name")],
    )
    answer = call(hook, RELEASE)
    run = WorkflowRun.objects.get()
    assert (answer.status_code, answer.json()["workflow_run"]) == (202, run.pk)
    assert (run.variables, run.requested_by) == ({"tag": "v1.4", "more": "x"}, admin)
    assert last().made == run


def test_the_owner_is_judged_when_the_message_comes(
    operator: User, host: Host, module: TaskModule, group: Any
) -> None:
    foreign = make_host("db1")
    hook = make_hook(
        operator,
        does="task_module",
        task_module=module,
        hosts=[foreign],
        extract=[rule("word", "release.tag_name")],
    )
    assert call(hook, RELEASE).status_code == 422
    assert not Run.objects.exists()


def test_critical_hosts_go_in_batches(hook: InHook, settings: Any) -> None:
    settings.RUN_CRITICAL_FIELDS = ["criticality=high"]
    hook.hosts.add(make_host("core1", custom={"criticality": "high"}))
    call(hook, RELEASE)
    assert Run.objects.get().batches == "1 10% 50%"


def test_made_up_values_are_taken_or_refused_in_words(
    admin: User, host: Host, settings: Any
) -> None:
    settings.HOOK_PER_MINUTE = 1000
    module = make_module(
        {"name": "word"}, {"name": "n", "type": "number"}, run="echo {word} {n}"
    )
    names = ["answers", "hosts", "groups"]
    fields = {"kind": "task_module", "task_module": module, "command": "", "ask": names}
    template = make_template(host, admin, answers={"word": "x", "n": 1}, **fields)
    hook = make_hook(admin, template=template)
    for field in ("answers.word", "answers.n", "hosts", "groups", "title"):
        InHook.objects.update(extract=[rule(field, "v")])
        digits = {"digits as a text": '"' + "9" * 40 + '"', "in a list": "[1e400]"}
        for number, (word, value) in enumerate((HOSTILE | digits).items()):
            body = f'{{"v": {value}, "of": "{field} {number}"}}'.encode()
            answer = call(hook, body)
            assert answer.status_code in {202, 422}, (field, word)
            assert last().words


@pytest.mark.timeout(300)
def test_hostile_values_reach_the_host_as_one_word_or_not_at_all(
    admin: User, hosts: list[Host], tmp_path: Any, settings: Any
) -> None:
    settings.HOOK_PER_MINUTE = 1000
    from tests.tasks.test_injection_modules import RECORD, Recorder  # noqa: PLC0415

    assert RECORD
    recorder = Recorder(tmp_path)
    question = {"name": "v", "type": "textarea", "required": False}
    module = make_module(question, run=f"{recorder.path} -- {{v}}")
    hook = make_hook(
        admin,
        does="task_module",
        task_module=module,
        hosts=hosts[:1],
        extract=[rule("v", "v")],
    )
    refused = []
    for why, value in against(recorder.proof, CORPUS).items():
        answer = call(hook, {"v": value, "why": why})
        if answer.status_code == 422:
            refused.append(why)
            continue
        assert answer.status_code == 202, why
        done(answer.json()["run"])
        words = [call_[0] for call_ in recorder.taken()]
        assert words in ([["--", value]], [["--", value.strip()]]), why
    assert "NUL" in refused
    assert len(refused) < 25
    assert not recorder.proof.exists()


def done(pk: int) -> None:
    from tasks.services.execute import execute_run  # noqa: PLC0415

    execute_run(pk=pk, worker="test")
    run = Run.objects.get(pk=pk)
    assert run.status == "ok", (run.explanation, run.command)
