"""What is frozen into a run, what is repeated of it, and on which hosts."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.db import connection

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from adminset.models import AuditEntry
from tasks.models import Run, RunHost, Script, Version
from tasks.services.claim import Watch, claim_run
from tasks.services.execute import LANES
from tasks.services.jobs import Job
from tasks.services.launch import RunSpec, repeat_run, request_run
from tasks.services.specs import fill, spec_of
from tests.factories import make_group, make_host, make_user
from tests.tasks.engine_things import FakeLane, a_run, go_on, statuses, words_of

pytestmark = pytest.mark.django_db


def make_script(**fields: object) -> Script:
    script = Script.objects.create(name="clean", language="python", **fields)
    add_version(script, "print(1)")
    return script


def add_version(script: Script, text: str, state: str = "approved") -> Version:
    return Version.objects.create(
        script=script,
        number=script.versions.count() + 1,
        text=text,
        sha256=sha256(text.encode()).hexdigest(),
        state=state,
        author_name="a",
    )


def test_the_newest_version_that_may_run_is_frozen(admin: User) -> None:
    script = make_script()
    add_version(script, "print(2)", "waiting")
    run = a_run(admin, 1, command="", kind="script", script=script)
    assert (run.script_text, run.language) == ("print(1)", "python")
    assert run.version == script.versions.get(number=1)
    add_version(script, "print(3)")
    again = repeat_run(actor=admin, run=run)
    assert (again.script_text, again.version) == ("print(1)", run.version)
    entry = AuditEntry.objects.filter(verb="run.request").last()
    assert {"field": "what", "old": None, "new": "print(1)"} in entry.changes


def test_a_version_that_is_retired_runs_nowhere(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LANES, "script", fake_lane)
    run = a_run(admin, 2, command="", kind="script", script=make_script())
    Version.objects.update(state="retired")
    go_on(run)
    assert fake_lane.begun == []
    assert set(statuses(run).values()) == {"not_started"}
    assert "is retired, so it runs nowhere" in words_of(run)["h1"]
    with pytest.raises(DomainError, match="retired"):
        repeat_run(actor=admin, run=run)


def test_what_the_library_has_is_run_by_who_may_use_it() -> None:
    group = make_group("g")
    perms = ["tasks.add_run", "cmdb.run_host", "cmdb.use_credential"]
    user = make_user(perms=[*perms, "tasks.view_script"], groups=[group])
    spec = RunSpec(
        kind="script", script=make_script(), host_ids=(make_host(groups=[group]).pk,)
    )
    with pytest.raises(Forbidden):
        request_run(actor=user, spec=spec)
    assert not Run.objects.exists()


def test_secret_answers_are_sealed_and_opened_by_the_worker_alone(admin: User) -> None:
    run = a_run(admin, 1, secret_answers={"word": "very-secret"}, variables={"a": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM tasks_run WHERE id = %s", [run.pk])
        assert "very-secret" not in cursor.fetchone()[0]
    assert "very-secret" not in str(
        AuditEntry.objects.values_list("changes", flat=True)
    )
    run.refresh_from_db()
    claim = claim_run(pk=run.pk, worker="one")
    job = Job(run, claim, Watch(claim), None, [])
    assert job.secret_answers == {"word": "very-secret"}
    assert "very-secret" not in repr(spec_of(run))
    again = repeat_run(actor=admin, run=run)
    again.refresh_from_db()
    assert spec_of(again).secret_answers == {"word": "very-secret"}
    assert again.variables == {"a": 1}
    assert again.same_key == run.same_key


def test_a_spec_goes_into_a_row_and_comes_out_the_same() -> None:
    spec = RunSpec(
        command="id",
        batches="1 50%",
        stop_percent=20,
        options={"check": True},
        secret_answers={"a": "b"},
        run_timeout_seconds=9,
    )
    assert spec_of(fill(Run(), spec)) == spec


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (["failed"], ["h2"]),
        (["unreachable", "timed_out"], ["h3", "h6"]),
        (["not_started"], ["h4", "h7"]),
        (["unknown"], ["h5"]),
        (["all"], ["h1", "h2", "h3", "h4", "h5", "h6", "h7"]),
    ],
)
def test_a_run_is_repeated_on_the_hosts_that_are_chosen(
    admin: User, selection: list[str], expected: list[str]
) -> None:
    run = a_run(admin, 7, batches="1 50%", forks=3, stop_percent=10)
    ends = [
        "ok",
        "failed",
        "unreachable",
        "not_started",
        "unknown",
        "timed_out",
        "skipped",
    ]
    for row, status in zip(run.hosts.order_by("pk"), ends, strict=True):
        RunHost.objects.filter(pk=row.pk).update(status=status)
    again = repeat_run(actor=admin, run=run, selection=selection)
    assert sorted(again.hosts.values_list("host_name", flat=True)) == expected
    assert (again.batches, again.forks, again.stop_percent) == ("1 50%", 3, 10)


def test_a_choice_of_hosts_that_there_is_not_is_refused(admin: User) -> None:
    with pytest.raises(DomainError, match="no such choice"):
        repeat_run(actor=admin, run=a_run(admin), selection=["everything"])
