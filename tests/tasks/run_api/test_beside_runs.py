"""What programs do beside runs: fetch a repository, judge a version, run and pause a schedule, mend a workflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks import tasks
from tasks.library import contents
from tasks.library.writing import add_version
from tasks.models import GitSource, Run, Version, WorkflowRun
from tasks.workflows import calls
from tests.factories import make_user
from tests.tasks.library_things import make_file, make_script
from tests.tasks.run_api.api_things import Api, error_of
from tests.tasks.schedule_things import make_schedule
from tests.tasks.workflow_things import begin, end, make_workflow, stands

pytestmark = pytest.mark.django_db
JUDGES = ["tasks.view_version", "tasks.view_script", "tasks.approve_script"]


def sent_to(api: Any, path: str, body: Any = None, **headers: str) -> Any:
    client = api.client if isinstance(api, Api) else api
    address, kind = f"/api/v1/{path}/", "application/json"
    return client.post(address, body or {}, content_type=kind, headers=headers)


@pytest.fixture
def waiting(settings: Any, tmp_path: Any) -> Version:
    """A version that waits for approval."""
    settings.LIBRARY_DIR = tmp_path / "library"
    script = make_script(needs_approval=True)
    content = contents.of_text("echo two\n")
    made = add_version(actor=make_user("author"), item=script, content=content)
    assert made is not None
    return made


def test_a_push_has_a_repository_read(
    api: Api, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    called: list[int] = []
    monkeypatch.setattr(tasks.fetch_source, "delay", called.append)
    source = GitSource.objects.create(name="r", url="https://git.example/r.git")
    path = f"git-repositories/{source.pk}/fetch"
    with django_capture_on_commit_callbacks(execute=True):
        answer = sent_to(api, path)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["state"], answer.json()["ended"]) == ("waiting", False)
    assert called == [source.pk]
    assert AuditEntry.objects.filter(verb="gitsource.fetch").count() == 1
    assert error_of(sent_to(api, path), 409)["code"] == "fetching"


def test_who_may_not_fetch_has_nothing_read(admin: User) -> None:
    source = GitSource.objects.create(name="r", url="https://git.example/r.git")
    path = f"git-repositories/{source.pk}/fetch"
    reader = make_user(perms=["tasks.view_gitsource"])
    limited = Api(admin, permissions=["tasks.fetch_gitsource", "tasks.view_gitsource"])
    for caller in (Api(reader), Api(admin, can_write=False), limited):
        assert sent_to(caller, path).status_code == 403
    source.refresh_from_db()
    assert source.asked_by is None


def test_a_program_retires_a_version_and_approves_none(
    waiting: Version, client_of: Callable[[User], Client]
) -> None:
    judge = make_user(perms=JUDGES)
    api, path = Api(judge), f"versions/{waiting.pk}"
    refused = error_of(sent_to(api, f"{path}/approve"), 403)
    assert refused["code"] == "token_approves_nothing"
    waiting.refresh_from_db()
    assert waiting.state == "waiting"
    person = client_of(judge)
    answer = sent_to(person, f"{path}/approve", {"reason": "read it"})
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert AuditEntry.objects.get(verb="script.approve").reason == "read it"
    answer = sent_to(api, f"{path}/retire", {"reason": "broken"})
    assert answer.json()["state"] == "retired"
    refused = error_of(sent_to(api, f"{path}/reinstate"), 403)
    assert refused["code"] == "token_approves_nothing"
    assert error_of(sent_to(api, f"{path}/retire"), 409)["code"] == "conflict"
    assert "reason" in error_of(sent_to(api, f"{path}/retire", {"why": "x"}))["fields"]


def test_a_version_is_judged_by_who_may_approve_its_kind(waiting: Version) -> None:
    others = make_user(perms=["tasks.view_version", "tasks.approve_playbook"])
    for caller in (Api(others), Api(make_user(perms=JUDGES), can_write=False)):
        answer = sent_to(caller, f"versions/{waiting.pk}/retire")
        assert answer.status_code == 403
    assert sent_to(Client(), f"versions/{waiting.pk}/retire").status_code == 401
    missing = sent_to(Api(make_user(perms=JUDGES)), "versions/999999/retire")
    assert missing.status_code == 404
    waiting.refresh_from_db()
    assert waiting.state == "waiting"


def test_the_bytes_of_a_version_are_read(
    api: Api, settings: Any, tmp_path: Any
) -> None:
    settings.LIBRARY_DIR = tmp_path / "library"
    version = make_file(data=b"\x00\xff").versions.get()
    address = f"/api/v1/versions/{version.pk}/download/"
    assert api.client.get(address).getvalue() == b"\x00\xff"
    nobody = Api(make_user(perms=["tasks.view_storedfile"]))
    assert nobody.client.get(address).status_code == 403


def test_a_schedule_runs_now_once_for_a_key(
    api: Api, admin: User, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    schedule = make_schedule(admin)
    path, key = f"schedules/{schedule.pk}/run-now", {"Idempotency-Key": "one"}
    with django_capture_on_commit_callbacks(execute=True):
        first, again = (sent_to(api, path, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200), first.content
    run = Run.objects.get()
    assert (first.json()["id"], again.json()["id"]) == (run.pk, run.pk)
    assert (run.schedule, run.requested_by, sent) == (schedule, admin, [run.pk])
    reader = make_user(perms=["tasks.view_schedule", "tasks.view_run"])
    assert sent_to(Api(reader), path).status_code == 403
    assert Run.objects.count() == 1


def test_a_schedule_is_paused_and_goes_on(api: Api, admin: User) -> None:
    schedule = make_schedule(admin)
    path = f"schedules/{schedule.pk}"
    limited = Api(admin, permissions=["tasks.view_schedule", "tasks.change_schedule"])
    told = sent_to(limited, f"{path}/pause", {"reason": "a release"}).json()
    assert (told["enabled"], told["notice"]) == (False, "a release")
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.run_as) == (False, admin)
    assert error_of(sent_to(limited, f"{path}/resume"), 403)["code"] == "limited_token"
    assert sent_to(api, f"{path}/resume").json()["enabled"] is True
    reader = Api(make_user(perms=["tasks.view_schedule"]))
    assert sent_to(reader, f"{path}/pause").status_code == 403
    schedule.refresh_from_db()
    assert schedule.enabled


@pytest.fixture
def failed(admin: User, host: Host, monkeypatch: pytest.MonkeyPatch) -> WorkflowRun:
    """A run of a workflow, the first of whose two steps failed."""
    monkeypatch.setattr(calls, "_call", lambda pk: None)
    steps: dict[str, dict[str, Any]] = {"a": {"hosts": [host]}, "b": {"hosts": [host]}}
    run = begin(admin, make_workflow(admin, steps, ("a>b",)))
    end(run, "a", ok=False)
    return run


def test_a_failed_step_is_retried(api: Api, failed: WorkflowRun) -> None:
    path = f"workflow-runs/{failed.pk}/steps"
    assert error_of(sent_to(api, f"{path}/b/retry"), 409)["code"] == "step_not_failed"
    told = sent_to(api, f"{path}/a/retry").json()
    assert told["status"] == "running"
    first = told["steps"][0]
    assert (first["status"], first["attempt"]) == ("waiting", 2)
    assert AuditEntry.objects.filter(verb="workflow.retry", reason="a").exists()


def test_a_failed_step_is_skipped_with_a_reason(api: Api, failed: WorkflowRun) -> None:
    path = f"workflow-runs/{failed.pk}/steps/a/skip"
    assert "reason" in error_of(sent_to(api, path))["fields"]
    assert stands(failed)["a"] == "failed"
    told = sent_to(api, path, {"reason": "done by hand"}).json()
    assert "done by hand" in told["steps"][0]["explanation"]
    assert stands(failed) == {"a": "skipped", "b": "waiting"}


def test_who_may_not_steer_mends_nothing(failed: WorkflowRun, admin: User) -> None:
    reader = make_user(perms=["tasks.view_workflow", "tasks.view_workflowrun"])
    for caller in (Api(reader), Api(admin, can_write=False)):
        for word in ("retry", "skip"):
            path = f"workflow-runs/{failed.pk}/steps/a/{word}"
            assert sent_to(caller, path, {"reason": "x"}).status_code == 403
    assert stands(failed)["a"] == "failed"


def test_the_same_start_of_a_workflow_says_that_it_was_there(
    api: Api, admin: User, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_call", lambda pk: None)
    workflow = make_workflow(admin, {"a": {"hosts": [host]}})
    path, key = f"workflows/{workflow.pk}/start", {"Idempotency-Key": "one"}
    first, again = (sent_to(api, path, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again["Idempotent-Replayed"] == "true"
    assert WorkflowRun.objects.count() == 1
