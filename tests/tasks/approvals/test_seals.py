"""What keeps an approval whole: seals that every worker can check, whatever keys are changed, and nobody can guess from."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import pytest

from accounts.models import User
from tasks.approvals import seals
from tasks.models import Approval, Run, RunPart
from tasks.services import queues
from tasks.services.claim import claim_run
from tasks.services.launch import RunSpec, request_run
from tasks.services.queues import wake_ready
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import make_rule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call nobody."""
    monkeypatch.setattr(queues, "send", lambda run, queue: None)


@pytest.fixture
def run(admin: User) -> Run:
    """A run with a secret answer that was approved."""
    make_rule(make_user())
    return approved(admin)


def approved(actor: User) -> Run:
    ids = (make_host(address="192.0.2.1").pk,)
    spec = RunSpec(command="reboot", host_ids=ids, secret_answers={"pin": "4711"})
    made = request_run(actor=actor, spec=spec)
    Approval.objects.update(status="approved")
    return made


def goes(run: Run) -> bool:
    return claim_run(pk=run.pk, worker="w") is not None


def test_a_worker_with_another_secret_key_voids_nothing(run: Run, settings) -> None:
    settings.SECRET_KEY = "made-on-the-machine-of-a-site-" * 2
    assert goes(run)
    assert Approval.objects.get().status == "approved"


def test_a_new_audit_key_voids_nothing(run: Run, settings) -> None:
    settings.AUDIT_KEYS = {"new": os.urandom(32)} | settings.AUDIT_KEYS
    assert goes(run)


def test_without_the_key_that_sealed_it_nothing_is_approved(run: Run, settings) -> None:
    settings.AUDIT_KEYS = {"other": os.urandom(32)}
    assert not goes(run)
    assert Approval.objects.get().status == "void"


def test_nobody_guesses_a_short_secret_from_what_is_kept(run: Run) -> None:
    stored = json.dumps(Approval.objects.get().seals)
    seal = seals.seals_of_run(run)["answers"]
    assert seal not in stored
    guess = json.dumps([{}, json.dumps({"pin": "4711"})], sort_keys=True)
    assert seal == hashlib.sha256(guess.encode()).hexdigest()
    # The same is never kept twice alike, and a seal is of its part only.
    again = seals.kept({"one": seal, "two": seal})
    assert again["one"] != again["two"]
    assert seals.differences({"two": again["one"]}, {"two": seal}) == ["two"]


@pytest.mark.parametrize("forged", ["", None, 5, "0" * 64])
def test_what_is_no_seal_fits_nothing(forged: Any) -> None:
    assert seals.differences({"text": forged}, {"text": seals.seal("x")}) == ["text"]


def test_a_run_whose_secret_does_not_open_waits_and_holds_up_no_other(
    run: Run, admin: User, settings
) -> None:
    keys, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, {"b": os.urandom(32)}
    other = approved(admin)
    assert not goes(run)
    part = run.parts.get()
    assert (part.status, part.losses) == ("waiting", 0)
    assert "its key" in part.reason
    RunPart.objects.filter(run=other).update(status="waiting")
    assert [part.run for part in wake_ready()] == [other]
    assert Approval.objects.get(object_id=run.pk).status == "approved"
    settings.ENCRYPTION_KEYS = keys
    assert run.parts.get() in wake_ready()


def test_who_approves_sees_what_the_limit_leaves_and_no_other_host_joins_later(
    admin: User,
) -> None:
    make_rule(make_user())
    hosts = [make_host(name, address="192.0.2.1") for name in ("web1", "web2")]
    spec = RunSpec(
        kind="module",
        module="ping",
        options={"limit": "web2"},
        host_ids=tuple(host.pk for host in hosts),
    )
    run = request_run(actor=admin, spec=spec)
    detail = Approval.objects.get().detail
    assert (detail["hosts"], detail["sentence"][:6]) == (["web2"], "1 host")
    Approval.objects.update(status="approved")
    run.hosts.filter(host_name="web1").update(limit="", status="not_started")
    assert not goes(run)
    assert Approval.objects.get().status == "void"


def test_a_worker_opens_nothing_of_runs_of_other_queues(
    run: Run, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, same_queue = approved(admin), approved(admin)
    RunPart.objects.filter(run__in=(mine, same_queue)).update(queue="idc.bj")
    RunPart.objects.update(status="waiting")
    hashed: list[int] = []
    real = seals.seals_of_run

    def looking(one: Run) -> dict[str, str]:
        hashed.append(one.pk)
        return real(one)

    monkeypatch.setattr("tasks.approvals.runs.seals_of_run", looking)
    woken = wake_ready(mine.parts.get())
    assert [part.run for part in woken] == [mine, same_queue]
    assert set(hashed) == {mine.pk, same_queue.pk}
    assert [part.run for part in wake_ready()] == [run]
