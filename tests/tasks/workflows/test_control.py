"""Cancel, resume, retry and skip."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import Run, WorkflowRun, WorkflowStepRun
from tasks.workflows import control, engine, web_hooks
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import begin, end, make_workflow, stands, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="192.0.2.1")


@pytest.fixture
def chain(admin: User, host: Host) -> WorkflowRun:
    """Three steps one after the other; the second has failed."""
    at = {"hosts": [host]}
    run = begin(
        admin, make_workflow(admin, {"a": at, "b": at, "c": at}, ("a>b", "b>c"))
    )
    end(run, "a")
    end(run, "b", ok=False)
    assert status_of(run) == "failed"
    return run


def test_resume_runs_only_what_failed_or_was_left_out(
    chain: WorkflowRun, admin: User
) -> None:
    first = chain.steps.get(key="a").run_id
    control.resume_workflow(actor=admin, run=chain)
    engine.advance(chain.pk)
    assert stands(chain) == {"a": "ok", "b": "running", "c": "waiting"}
    step = chain.steps.get(key="b")
    assert (step.attempt, step.past[0]["status"]) == (2, "failed")
    assert chain.steps.get(key="a").run_id == first
    end(chain, "b")
    end(chain, "c")
    assert status_of(chain) == "ok"
    assert Run.objects.count() == 4
    assert AuditEntry.objects.filter(verb="workflow.resume").count() == 1


def test_two_who_resume_do_it_once(chain: WorkflowRun, admin: User) -> None:
    control.resume_workflow(actor=admin, run=chain)
    with pytest.raises(Conflict):
        control.resume_workflow(actor=admin, run=chain)
    assert chain.steps.get(key="b").attempt == 2


def test_what_is_resumed_runs_as_who_resumed_it(chain: WorkflowRun, host: Host) -> None:
    other = make_user("other", is_superuser=True)
    control.resume_workflow(actor=other, run=chain)
    engine.advance(chain.pk)
    assert chain.steps.get(key="b").run.requested_by == other


def test_who_may_not_steer_may_not_resume(chain: WorkflowRun) -> None:
    person = make_user(perms=["tasks.view_workflowrun", "tasks.add_workflowrun"])
    for act in (
        lambda: control.resume_workflow(actor=person, run=chain),
        lambda: control.retry_step(actor=person, run=chain, key="b"),
        lambda: control.skip_step(actor=person, run=chain, key="b", reason="x"),
    ):
        with pytest.raises(Forbidden):
            act()
    assert status_of(chain) == "failed"


def test_a_failed_step_is_skipped_with_a_reason_and_the_rest_goes_on(
    chain: WorkflowRun, admin: User
) -> None:
    with pytest.raises(DomainError, match="Say why"):
        control.skip_step(actor=admin, run=chain, key="b", reason=" ")
    assert status_of(chain) == "failed"
    control.skip_step(actor=admin, run=chain, key="b", reason="done by hand")
    engine.advance(chain.pk)
    assert stands(chain) == {"a": "ok", "b": "skipped", "c": "running"}
    step = chain.steps.get(key="b")
    assert step.waived
    assert "admin: done by hand" in step.explanation
    end(chain, "c")
    assert status_of(chain) == "ok"
    line = AuditEntry.objects.get(verb="workflow.skip")
    assert line.reason == "done by hand"


def test_only_a_failed_step_is_skipped_or_retried(
    chain: WorkflowRun, admin: User
) -> None:
    for key in ("a", "c", "ghost"):
        with pytest.raises(Conflict):
            control.skip_step(actor=admin, run=chain, key=key, reason="x")
        with pytest.raises(Conflict):
            control.retry_step(actor=admin, run=chain, key=key)
    assert status_of(chain) == "failed"


def test_a_step_is_retried_while_others_go_on(admin: User, host: Host) -> None:
    at = {"hosts": [host]}
    run = begin(admin, make_workflow(admin, {"a": at, "b": at, "c": at}, ("a>c",)))
    end(run, "a", ok=False)
    assert stands(run) == {"a": "failed", "b": "running", "c": "skipped"}
    control.retry_step(actor=admin, run=run, key="a")
    engine.advance(run.pk)
    assert stands(run) == {"a": "running", "b": "running", "c": "waiting"}
    assert Run.objects.count() == 3


def test_cancel_stops_what_runs_and_begins_nothing(admin: User, host: Host) -> None:
    at = {"hosts": [host]}
    steps = {"a": at, "w": {"does": "wait", "wait_seconds": 600}, "b": at}
    run = begin(admin, make_workflow(admin, steps, ("a*b",)))
    control.cancel_workflow(actor=admin, run=run)
    engine.advance(run.pk)
    assert stands(run) == {"a": "cancelled", "w": "cancelled", "b": "cancelled"}
    assert status_of(run) == "cancelled"
    assert Run.objects.get().status == "cancelled"
    with pytest.raises(Conflict):
        control.cancel_workflow(actor=admin, run=run)
    control.resume_workflow(actor=admin, run=run)
    engine.advance(run.pk)
    assert stands(run) == {"a": "running", "w": "running", "b": "waiting"}


def test_a_run_that_somebody_cancels_fails_its_step(admin: User, host: Host) -> None:
    run = begin(admin, make_workflow(admin, {"a": {"hosts": [host]}}))
    control.cancel_run(actor=admin, run=run.steps.get().run)
    engine.advance(run.pk)
    assert stands(run) == {"a": "failed"}


class Receiver:
    """Stands for the door to the outside."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.sent: list[dict[str, Any]] = []

    def fetch(self, method: str, url: str, **sent: Any) -> Any:
        self.sent.append({"method": method, "url": url} | sent)
        status = self.statuses.pop(0)

        class Answer:
            pass

        Answer.status = status  # type: ignore[attr-defined]
        return Answer()


HOOK = {
    "does": "web_hook",
    "command": "",
    "hook_url": "https://example.com/s3cret",
    "sealed": "signing-secret-word",
    "hook_body": {"text": "release ${vars.tag}"},
}


def _due(run: WorkflowRun) -> None:
    WorkflowStepRun.objects.filter(workflow_run=run).update(until=run.created_at)


def test_a_web_hook_is_sent_again_until_it_is_taken(
    admin: User, monkeypatch: Any
) -> None:
    receiver = Receiver(500, 204)
    monkeypatch.setattr(web_hooks.outbound, "fetch", receiver.fetch)
    workflow = make_workflow(admin, {"h": HOOK}, variables={"tag": 'a"b'})
    run = begin(admin, workflow)
    assert receiver.sent == []
    assert web_hooks.send_due(run.pk) == 1
    assert "status 500" in run.steps.get().explanation
    # Its pause is not over.
    assert web_hooks.send_due(run.pk) == 0
    _due(run)
    web_hooks.send_due(run.pk)
    engine.advance(run.pk)
    assert status_of(run) == "ok"
    first, second = receiver.sent
    assert first["url"] == "https://example.com/s3cret"
    assert b'"text": "release a\\"b"' in first["data"]
    assert (
        first["headers"]["X-AdminSet-Delivery"]
        == second["headers"]["X-AdminSet-Delivery"]
    )
    assert first["headers"]["X-AdminSet-Signature"].startswith("t=")
    assert "s3cret" not in str(run.definition)
    assert "signing" not in str(run.definition)


def test_a_web_hook_gives_up_and_two_do_not_send_at_once(
    admin: User, monkeypatch: Any
) -> None:
    receiver = Receiver(500, 500)
    monkeypatch.setattr(web_hooks.outbound, "fetch", receiver.fetch)
    run = begin(
        admin,
        make_workflow(admin, {"h": HOOK | {"hook_tries": 2}}, variables={"tag": "1"}),
    )
    seen = list(run.steps.all())
    web_hooks.send_due(run.pk)
    # One that read the step before has nothing to send.
    assert web_hooks._try(run, seen[0]) is False
    _due(run)
    web_hooks.send_due(run.pk)
    engine.advance(run.pk)
    assert status_of(run) == "failed"
    assert len(receiver.sent) == 2


def test_a_web_hook_goes_nowhere_inside(admin: User) -> None:
    hook = HOOK | {"hook_url": "https://127.0.0.1/x", "hook_tries": 1, "hook_body": {}}
    run = begin(admin, make_workflow(admin, {"h": hook}))
    web_hooks.send_due(run.pk)
    assert "may not go" in run.steps.get().explanation
    assert "/x" not in run.steps.get().explanation
