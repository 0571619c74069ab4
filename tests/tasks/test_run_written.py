"""What is written of a run's hosts: in a form that every database takes, each by itself where one is refused, never over another's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset import many_rows
from adminset.models import AuditEntry
from cmdb.models import Credential, Host
from tasks.models import Run, RunHost
from tasks.output import Hints
from tasks.services import execute, jobs
from tasks.services.claim import Claim, Watch, claim_run
from tasks.services.jobs import Ended, Job
from tasks.services.reaching import rows_of
from tasks.services.settle import close_hosts
from tests.tasks.engine_things import FakeLane, a_run, go_on, statuses, words_of

pytestmark = pytest.mark.django_db
WORST = "what it said:\x00 half \ud800 end"


@pytest.fixture
def job(admin: User) -> Job:
    run = a_run(admin)
    claim = claim_run(pk=run.pk, worker="one")
    assert claim is not None
    rows = list(run.hosts.order_by("pk"))
    return Job(run, claim, Watch(claim), Hints(run.pk), rows)


def away(*args: object, **named: object) -> None:
    """A database that does not answer."""
    raise OperationalError("away")


@pytest.fixture
def picky(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that takes no text with a word in it."""

    def write(model: Any, fields: Sequence[str], rows: Sequence[Any]) -> None:
        if any("refuse me" in row.explanation for row in rows):
            raise DataError("value out of range")
        many_rows.update_rows(model, fields, rows)

    monkeypatch.setattr(jobs, "update_rows", write)


@pytest.mark.parametrize(
    ("code", "kept"),
    [(3221225786, 3221225786), (-9, -9), (2**32, None), (-(10**30), None)],
)
def test_what_a_host_says_is_brought_into_a_form_that_can_be_kept(
    job: Job, code: int, kept: int | None
) -> None:
    rows = job.begin(job.rows)
    assert rows
    job.record([Ended(rows[0].pk, "failed", WORST, code)])
    row = RunHost.objects.get(pk=rows[0].pk)
    assert (row.status, row.exit_code) == ("failed", kept)
    assert row.explanation == "what it said:\ufffd half ? end"


def test_what_the_lane_says_at_the_end_is_kept_too(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = lambda job: fake_lane(job) or WORST  # noqa: E731 - as short as it is
    monkeypatch.setitem(execute.LANES, Run.Kind.COMMAND, lane)
    run = go_on(a_run(admin))
    assert run.status == "ok"
    assert run.explanation == "3 hosts: 3 ok. what it said:\ufffd half ? end"


def test_of_events_of_which_the_database_refuses_one_the_others_are_written(
    job: Job, picky: None
) -> None:
    rows = job.begin(job.rows)
    assert rows
    ends = [
        Ended(rows[0].pk, "ok", "fine", 0),
        Ended(rows[1].pk, "failed", "refuse me", 1),
        Ended(rows[2].pk, "failed", "bad", 1),
    ]
    job.gather_seconds = 60
    job.record(ends)
    assert job.flush() is True
    assert list(statuses(job.run).values()) == ["ok", "unknown", "failed"]
    assert words_of(job.run)["h2"] == (
        "The database did not take how it ended: look on the host."
    )
    job.run.refresh_from_db()
    assert (job.run.done_count, job.run.ok_count) == (3, 1)


def test_a_run_one_of_whose_ends_is_refused_comes_to_its_end(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch, picky: None
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it waits"))
    fake_lane.ends = {"h2": "refuse me"}
    run = go_on(a_run(admin))
    assert run.explanation == "3 hosts: 2 ok, 1 unknown."


def test_the_database_going_away_between_single_events_counts_none_twice(
    job: Job, picky: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = job.begin(job.rows)
    assert rows
    job.gather_seconds = 60
    job.record([Ended(rows[0].pk, "ok", "fine", 0)])
    job.record([Ended(rows[1].pk, "failed", "refuse me", 1)])
    answers = iter([True, True, False, True])
    renew = Claim.renew

    def sometimes(claim: Claim) -> bool:
        if next(answers, True):
            return renew(claim)
        raise OperationalError("away")

    monkeypatch.setattr(Claim, "renew", sometimes)
    assert job.flush() is False
    assert list(statuses(job.run).values()) == ["ok", "running", "running"]
    assert job.flush() is True
    assert list(statuses(job.run).values()) == ["ok", "unknown", "running"]
    job.run.refresh_from_db()
    assert (job.run.done_count, job.run.ok_count) == (2, 1)


def test_a_host_that_was_closed_meanwhile_is_not_begun(job: Job) -> None:
    first = RunHost.objects.filter(pk=job.rows[0].pk)
    close_hosts(first, "The time was over.", "not_started", "run")
    assert job.begin(job.rows) == job.rows[1:]
    assert job.begin(job.rows[:1]) == []
    assert list(statuses(job.run).values()) == ["not_started", "running", "running"]


def test_a_lane_goes_on_with_the_hosts_that_were_not_closed(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All hosts of a batch are begun at once, as for Ansible."""
    monkeypatch.setattr(execute, "TOGETHER", frozenset({"command"}))
    given: list[str] = []

    def lane(job: Job) -> str:
        given.extend(row.host_name for row in job.rows)
        job.record([Ended(row.pk, "ok", "fine", 0) for row in job.rows])
        return ""

    def close(self: Job, rows: list[RunHost]) -> list[RunHost] | None:
        first = RunHost.objects.filter(pk=rows[0].pk)
        close_hosts(first, "The time was over.", "not_started", "run")
        return begin(self, rows)

    begin = Job.begin
    monkeypatch.setattr(Job, "begin", close)
    monkeypatch.setitem(execute.LANES, Run.Kind.COMMAND, lane)
    run = go_on(a_run(admin))
    assert given == ["h2", "h3"]
    assert run.explanation == "3 hosts: 1 not started, 2 ok."


def test_the_run_is_locked_before_its_part(job: Job) -> None:
    """As whoever settles a run does it; SQLite knows no such locks, so the order is read from what is said to it."""
    end = Ended(job.rows[0].pk, "ok", "fine", 0)
    for write in (
        lambda: job.begin(job.rows),
        lambda: job.record([end]),
        lambda: execute._after(job, "words", over=True),
    ):
        with CaptureQueriesContext(connection) as said:
            write()
        text = "\n".join(query["sql"] for query in said.captured_queries)
        assert 0 < text.index('FROM "tasks_run" ') < text.index('"tasks_runpart"')


def test_the_lease_is_kept_while_orphans_are_ended(
    admin: User, fake_lane: FakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(admin)
    part = run.parts.get()
    names: list[str] = []

    def end(claim: Claim) -> None:
        names.extend(thread.name for thread in threading.enumerate())

    monkeypatch.setattr(execute, "end_orphans", end)
    monkeypatch.setattr(Watch, "_look_once", lambda self: None)
    execute.execute_part(run_id=run.pk, queue=part.queue, worker="one")
    assert f"watch-{part.pk}" in names


def test_the_use_of_a_credential_is_recorded_though_the_database_broke_off_at_first(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Credential.objects.create(name="key", username="root", password="p4ss-word")
    Host.objects.update(credential=key)
    job.rows = rows_of(job.run, job.claim.part_id)
    noted: set[int] = set()
    with monkeypatch.context() as patched:
        patched.setattr("adminset.audit.record", away)
        with pytest.raises(OperationalError):
            execute._note_credentials(job, noted)
    assert execute._note_credentials(job, noted) == {key.pk}
    entry = AuditEntry.objects.get(verb="credential.use")
    assert {"field": "hosts", "old": None, "new": 3} in entry.changes
    assert execute._note_credentials(job, {key.pk}) == set()
