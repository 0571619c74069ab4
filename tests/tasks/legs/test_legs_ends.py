"""How legs end otherwise: judged anew, stopped, their worker lost, their marks forged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks import output
from tasks.legs.asking import cancel_leg
from tasks.legs.reading import reports
from tasks.legs.working import leg_work
from tasks.models import Run, RunHost, RunPart
from tasks.output import Hints
from tasks.services import queues, reap
from tasks.services.claim import Watch, claim_part
from tasks.services.execute import execute_run
from tasks.services.jobs import Ended, Job
from tasks.services.reaching import rows_of, target_of
from tasks.services.settle import after_end
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult
from tests.tasks.conftest import results
from tests.tasks.doors import alive, remaining, sleeping, wait_until
from tests.tasks.engine_things import lose
from tests.tasks.legs.conftest import Judge

pytestmark = pytest.mark.django_db
Do = Callable[..., Run]


def text_of(run: Run) -> str:
    return "".join(output.read(run.pk, row.pk, 0).text for row in run.hosts.all())


# ---- The judge, and who asked


def test_the_judge_is_asked_again_when_a_worker_begins(
    ask_leg: Do, hosts: list[Host], judge: Judge, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    run = ask_leg(f'touch "{touched}-$SSH_CONNECTION"; echo done')
    judge.barred = {hosts[1].pk}
    execute_run(pk=run.pk, worker="test")
    found = results(run)
    assert found["host0"] == found["host2"] == ("ok", 0)
    assert found["host1"] == ("not_started", None)
    words = run.hosts.get(host=hosts[1]).explanation
    assert "may not work on this host any more" in words
    assert len(list(tmp_path.glob("touched*"))) == 2
    assert len(judge.asked) == 2


@pytest.mark.parametrize("urgent", [False, True])
def test_who_may_not_sign_in_any_more_delivers_nothing_but_is_undone(
    ask_leg: Do, admin: User, urgent: bool
) -> None:
    run = ask_leg("true", urgent=urgent)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    execute_run(pk=run.pk, worker="test")
    run.refresh_from_db()
    if urgent:
        assert run.status == "ok"
    else:
        assert set(results(run).values()) == {("not_started", None)}
        words = run.hosts.first()
        assert words
        assert "may not sign in any more" in words.explanation


# ---- Secrets and marks


def test_secrets_are_masked_in_output_and_in_what_is_told(
    do_leg: Do, hosts: list[Host]
) -> None:
    run = do_leg(
        'echo "out $A $B"; echo "@$AS_MARK told $A and $B"; echo "mark $AS_MARK" >&2',
        secret_values={"A": "first-secret-word"},
        host_secret_values={hosts[0].pk: {"B": "second-secret-word"}},
    )
    assert run.status == "ok"
    text = text_of(run)
    assert "secret-word" not in text
    assert text.count("out ••••") == 3
    assert text.count("mark ••••") == 3
    assert reports(run)[hosts[0].pk].said["told"] == "•••• and ••••"
    rows = str(list(RunHost.objects.values_list("report", "explanation")))
    trail = str(list(AuditEntry.objects.values_list("changes", "reason")))
    assert "secret-word" not in rows + trail


def test_a_hook_of_a_user_without_the_mark_cannot_speak_for_the_program(
    do_leg: Do, hosts: list[Host], tmp_path: Path
) -> None:
    hook = tmp_path / "hook"
    hook.write_text(
        "#!/bin/sh\n"
        'for mark in "$AS_MARK" "" 0123456789abcdef0123456789abcdef "*"; do echo "@$mark switched yes"; done\n'
    )
    run = do_leg(
        f'echo "@$AS_MARK switched no"; env -u AS_MARK sh {hook}', on=hosts[:1]
    )
    assert dict(reports(run)[hosts[0].pk].said) == {"switched": "no"}
    assert text_of(run).count("switched yes") == 4


def test_each_attempt_on_each_host_has_a_mark_of_its_own(
    do_leg: Do, tmp_path: Path
) -> None:
    program = f'echo "$AS_MARK" >>{tmp_path}/marks'
    do_leg(program)
    do_leg(program)
    marks = (tmp_path / "marks").read_text().split()
    assert len(set(marks)) == 6
    assert {len(mark) for mark in marks} == {32}


# ---- Stopped and lost


def test_a_leg_that_is_stopped_ends_on_its_hosts(
    ask_leg: Do, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = "sleep 61.271"
    run = ask_leg(f'echo "@$AS_MARK step one"; {marker}', forks=2)
    real = Watch._ask

    def asked(self: Watch, now: float) -> None:
        if sleeping(marker, 2):
            cancel_leg(actor=admin, run=run)
        real(self, now)

    monkeypatch.setattr(Watch, "_ask", asked)
    execute_run(pk=run.pk, worker="test")
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert remaining(marker) == []
    said = [dict(told.said) for told in reports(run).values()]
    assert said.count({"step": "one"}) == 2


def test_the_end_of_a_leg_is_told(
    do_leg: Do, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Do
) -> None:
    told: list[int] = []
    monkeypatch.setattr("tasks.services.settle.after_end", [*after_end, told.append])
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        run = do_leg("true")
    assert told == [run.pk]


class LostWorker:
    """Begins a leg on one host and is never heard of again; what it started there goes on."""

    def __init__(self, run: Run) -> None:
        part = run.parts.get()
        claim = claim_part(pk=part.pk, worker="lost")
        assert claim
        run = Run.objects.get(pk=run.pk)
        self.rows = rows_of(run, part.pk)
        self.job = Job(run, claim, Watch(claim, run), Hints(run.pk), self.rows)
        assert self.job.begin(self.rows)
        work = leg_work(self.job)
        target = target_of(self.rows[0], "host0")
        self.ended: list[CommandResult] = []
        terms = Terms(lambda data, stream: None, timeout=120)
        self.thread = threading.Thread(
            target=lambda: self.ended.append(work.do(target, terms)), daemon=True
        )
        self.thread.start()


def test_a_lost_worker_is_followed_by_another_that_first_ends_what_it_left(
    ask_leg: Do, hosts: list[Host], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "send", lambda run, queue: None)
    marker = "sleep 61.371"
    log, flag = tmp_path / "log", tmp_path / "flag"
    program = (
        f'echo "@$AS_MARK attempt $(cat {log} 2>/dev/null | wc -l)"; echo x >>{log}\n'
        f"[ -e {flag} ] && exit 0; touch {flag}; {marker}"
    )
    run = ask_leg(program, on=hosts[:1])
    lost = LostWorker(run)
    wait_until(lambda: alive(marker))
    lose(run)
    assert [part.run for part in reap.reap_lost()] == [run]
    assert (run.parts.get().losses, results(run)["host0"][0]) == (1, "not_started")
    execute_run(pk=run.pk, worker="second")
    run.refresh_from_db()
    assert (run.status, results(run)) == ("ok", {"host0": ("ok", 0)})
    assert dict(reports(run)[hosts[0].pk].said) == {"attempt": "1"}
    assert remaining(marker) == []
    lost.thread.join(60)
    lost.job.record([Ended(lost.rows[0].pk, "failed", "I know better.", report={})])
    assert lost.job.watch.why == "lost"
    assert results(run) == {"host0": ("ok", 0)}
    assert log.read_text() == "x\nx\n"


def test_what_a_lost_worker_had_begun_is_unknown_when_the_leg_is_stopped(
    ask_leg: Do, admin: User, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was to begin anew; stopped before that, nobody may take it for untouched."""
    monkeypatch.setattr(queues, "send", lambda run, queue: None)
    run = ask_leg('echo "@$AS_MARK switched yes"', on=hosts[:1])
    LostWorker(run).thread.join(60)
    lose(run)
    reap.reap_lost()
    waiting = reports(run)[hosts[0].pk]
    assert (waiting.status, waiting.is_open) == ("not_started", True)
    assert waiting.started_at
    cancel_leg(actor=admin, run=run)
    run.refresh_from_db()
    assert not run.is_open
    told = reports(run)[hosts[0].pk]
    assert (told.status, bool(told.started_at)) == ("unknown", True)
    assert told.explanation.startswith("A worker was lost while it ran here")


def test_a_lost_worker_of_a_leg_that_may_not_begin_twice_leaves_it_unknown(
    ask_leg: Do, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "send", lambda run, queue: None)
    run = ask_leg("true", on=hosts[:1], repeatable=False)
    LostWorker(run).thread.join(60)
    lose(run)
    reap.reap_lost()
    run.refresh_from_db()
    assert (run.status, results(run)) == ("failed", {"host0": ("unknown", None)})
    assert RunPart.objects.get(run=run).losses == 1
