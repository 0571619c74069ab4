"""The client beside runs: repositories, schedules and workflows; and secrets from stdin stay secret."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks import tasks
from tasks.models import GitSource, Run, Schedule, WorkflowRun
from tasks.workflows import calls, engine
from tests.tasks.library_things import make_playbook
from tests.tasks.run_api.client_things import Cli, until
from tests.tasks.schedule_things import make_schedule
from tests.tasks.workflow_things import begin, end, make_workflow, stands

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "key=-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHunter2\n-----END PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "send", lambda pk: None)
    monkeypatch.setattr(calls, "_call", lambda pk: None)


@pytest.mark.parametrize("given", [KEY, "fine=x\nkey:=Hunter2\n", "\n=Hunter2\n"])
def test_a_line_of_secrets_that_is_wrong_is_named_and_not_shown(
    cli: Cli, given: str
) -> None:
    words = ("run", "command", "id", "--host", "web1", "--secrets-stdin")
    done = cli(*words, given=given)
    assert (done.returncode, "Line 2 of stdin" in done.stderr) == (2, True)
    assert "Hunter2" not in done.stderr + done.stdout
    assert not Run.objects.exists()


def test_a_secret_of_several_lines_is_given_as_json(cli: Cli) -> None:
    words = ("run", "playbook", make_playbook().name, "--host", "web1")
    given = 'pw:="hunter2\\nhunter3"\n'
    done = cli(*words, "--secrets-stdin", "--detach", given=given)
    assert done.returncode == 0, done.stderr
    assert '{"pw": "hunter2\\nhunter3"}' in Run.objects.get().sealed.reveal()  # type: ignore[attr-defined]


def test_a_repository_is_fetched_and_waited_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def done(pk: int) -> None:
        rows = GitSource.objects.filter(pk=pk)
        rows.update(state=ends, message="\x1b[31m1 new version.")

    monkeypatch.setattr(tasks.fetch_source, "delay", done)
    GitSource.objects.create(name="books", url="https://git.example/b.git")
    for ends, code in (("ok", 0), ("failed", 1)):
        told = cli("fetch", "books")
        assert told.returncode == code, told.stderr
        assert told.stdout == f"books: {ends} 1 new version.\n"
    assert "no git repository called x" in cli("fetch", "x").stderr


def test_a_schedule_is_run_paused_and_goes_on(cli: Cli, root: User) -> None:
    schedule = make_schedule(root, name="nightly")
    done = cli("schedule", "run", "nightly", "--detach")
    assert done.returncode == 0, done.stderr
    assert Run.objects.get().schedule == schedule
    told = cli("schedule", "pause", "nightly", "--reason", "a release")
    assert (told.returncode, told.stdout) == (0, "nightly: off\n")
    assert Schedule.objects.get().notice == "a release"
    assert cli("schedule", "resume", "nightly").stdout == "nightly: on\n"


@pytest.fixture
def failed(root: User, cli: Cli) -> WorkflowRun:
    """A run of a workflow, the first of whose two steps failed."""
    steps: dict[str, dict[str, Any]] = {
        key: {"hosts": [Host.objects.first()]} for key in "ab"
    }
    run = begin(root, make_workflow(root, steps, ("a>b",)))
    end(run, "a", ok=False)
    return run


def test_a_run_of_a_workflow_is_mended_and_stopped(
    cli: Cli, failed: WorkflowRun
) -> None:
    pk = str(failed.pk)
    assert cli("workflow", "follow", pk).returncode == 1
    assert cli("workflow", "retry", pk, "b").returncode == 2
    assert cli("workflow", "retry", pk, "a").stdout.startswith("workflow run #")
    engine.advance(failed.pk)
    end(failed, "a", ok=False)
    assert cli("workflow", "resume", pk).returncode == 0
    engine.advance(failed.pk)
    end(failed, "a", ok=False)
    done = cli("workflow", "skip", pk, "a", "--reason", "done by hand")
    assert done.returncode == 0, done.stderr
    assert stands(failed)["a"] == "skipped"
    assert cli("workflow", "cancel", pk).returncode == 0
    failed.refresh_from_db()
    assert failed.cancel_requested_at is not None


def test_who_interrupts_a_workflow_is_told_that_it_goes_on(
    cli: Cli, root: User
) -> None:
    waits = {"a": {"does": "wait", "wait_seconds": 600}}
    make_workflow(root, waits, name="release")
    for how, words in (("ask", "goes on"), ("cancel", "is being stopped")):
        process = cli.start("workflow", "start", "release", "--on-interrupt", how)
        assert process.stderr is not None
        begun = process.stderr.readline()
        assert begun.startswith("workflow run #")
        assert process.stdout is not None
        assert process.stdout.readline().startswith("A: ")
        process.send_signal(signal.SIGINT)
        told = process.stderr.readline()
        pk = begun.strip().partition("#")[2]
        assert told.startswith(f"Workflow run #{pk} {words}")
        run = WorkflowRun.objects.get(pk=pk)
        if how == "ask":
            assert f"adminset-cli workflow follow {pk}" in told
            assert process.wait(30) == 130
            assert run.cancel_requested_at is None
        else:
            until(partial(_stopped, run))
            assert process.wait(30) == 3


def _stopped(run: WorkflowRun) -> bool:
    engine.advance(run.pk)
    run.refresh_from_db()
    return not run.is_open
