"""Locks that lie on the hosts: of deploys that ended, of deploys that nobody knows any more."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from appconf.models import Environment
from cmdb.models import Host
from delivery.engine.claim_steps import _may_be_locked
from delivery.engine.controlling import cancel_deploy
from delivery.engine.judging import judge
from delivery.models import Deploy
from delivery.safety import drift
from delivery.safety.host_locks import break_host_lock, left_behind, seen
from tasks.legs.reading import HostReport
from tasks.models import Run
from tasks.services.execute import execute_run
from tests.app_factories import make_environment, make_project
from tests.delivery.engine.deploy_things import Stage, statuses
from tests.delivery.engine.leg_things import OLD, answer, at_the_claim, lives
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


def holds(host: int, number: object) -> dict[int, HostReport]:
    said = {"lock": str(number), "lock_who": "ann"}
    return {host: HostReport(host, "paper", "failed", 75, "", said)}


def looked(environment: Environment, host: Host, lock: str) -> None:
    """Let a host say whose lock lies on it."""
    Run.objects.update(leg_key=None)
    run, now = drift.ask(environment, by_hand=True), timezone.now()
    said = {"lock": lock, "lock_who": "ann"}
    run.hosts.filter(host=host).update(
        status="ok", report={"said": said}, started_at=now, ended_at=now
    )
    Run.objects.filter(pk=run.pk).update(status="ok", ended_at=now)


def test_a_lock_of_an_ended_deploy_in_another_environment_is_left_behind(
    paper: Paper,
) -> None:
    deploy, host = paper.ask(), paper.hosts[0].pk
    neighbour = make_environment(paper.pipeline.project, "tests")
    stranger = make_environment(make_project(), "live")
    assert left_behind(neighbour, holds(host, deploy.pk)) == {}
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    for environment in (paper.environment, neighbour):
        assert left_behind(environment, holds(host, deploy.pk)) == {
            host: str(deploy.pk)
        }
    assert left_behind(stranger, holds(host, deploy.pk)) == {}
    for number in (deploy.pk + 1, "?", "", "9" * 30, "١"):
        assert left_behind(neighbour, holds(host, number)) == {}


def test_a_lock_that_nobody_knows_is_taken_away_by_hand_and_on_record(
    stage: Stage,
) -> None:
    folder = stage.roots[stage.hosts[0].pk] / ".adminset" / "lock"
    folder.mkdir(parents=True)
    (folder / "owner").write_text("deploy=999999\nwho=ann\nreason=lost\n")
    deploy = stage.deploy(stage.artefact("one"))
    assert deploy.status == "failed"
    assert statuses(deploy)["host0"] == "failed"
    look = drift.ask(stage.environment, by_hand=True)
    execute_run(pk=look.pk, worker="test")
    ids = [host.pk for host in stage.hosts]
    lock = seen(stage.environment, ids)[ids[0]]
    assert (lock.deploy, lock.who, lock.reason) == ("999999", "ann", "lost")
    run = break_host_lock(
        actor=stage.user,
        environment=stage.environment,
        host=stage.hosts[0],
        holder="999999",
        reason="the portal came from a backup",
    )
    execute_run(pk=run.pk, worker="test")
    assert not folder.exists()
    assert seen(stage.environment, ids) == {}
    log = (stage.roots[stage.hosts[0].pk] / "revisions.log").read_text()
    assert "lock of deploy 999999 broken" in log
    line = AuditEntry.objects.get(verb="deploylock.break_host")
    assert line.reason == "the portal came from a backup"
    assert stage.deploy(stage.artefact("two")).status == "ok"


def test_a_lock_of_a_deploy_that_goes_on_stays(paper: Paper) -> None:
    deploy = paper.ask()
    Deploy.objects.filter(pk=deploy.pk).update(
        status="paused", started_at=deploy.created_at
    )
    wanted: dict[str, Any] = {
        "actor": paper.user,
        "environment": paper.environment,
        "host": paper.hosts[0],
        "holder": "999999",
        "reason": "away with it",
    }
    looked(paper.environment, paper.hosts[0], "999999")
    before = Run.objects.count()
    with pytest.raises(Conflict, match="is at work on paper0"):
        break_host_lock(**wanted)
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    with pytest.raises(DomainError, match="Say why"):
        break_host_lock(**wanted | {"reason": " "})
    with pytest.raises(DomainError, match="no host to which"):
        break_host_lock(**wanted | {"host": make_host("stranger")})
    with pytest.raises(Forbidden):
        break_host_lock(**wanted | {"actor": make_user("nobody")})
    assert Run.objects.count() == before
    assert not AuditEntry.objects.filter(verb="deploylock.break_host").exists()
    with pytest.raises(Conflict, match="this lock did not lie there"):
        break_host_lock(**wanted | {"holder": "999998"})
    assert Run.objects.count() == before
    run = break_host_lock(**wanted)
    # Only that lock: the host refuses where another deploy took it meanwhile.
    told = run.leg.host_values[str(paper.hosts[0].pk)]
    assert (told["AS_BREAK"], told["AS_LOCK_OF"]) == ("1", "999999")
    assert "AS_BREAK" not in run.leg.values
    assert list(run.hosts.values_list("host_name", flat=True)) == ["paper0"]
    assert break_host_lock(**wanted) == run


def test_a_deploy_that_began_meanwhile_keeps_its_lock(paper: Paper) -> None:
    ids = {host.pk for host in paper.hosts}
    leg = Run(
        purpose="delivery.release_lock",
        subject=f"delivery.lock:{paper.environment.pk}",
    )
    assert judge(leg, paper.hosts) == ids
    deploy = paper.ask(host_ids=[paper.hosts[0].pk])
    # One that waits for its turn has no lock on a host yet.
    assert judge(leg, paper.hosts) == ids
    Deploy.objects.filter(pk=deploy.pk).update(
        status="running", started_at=deploy.created_at
    )
    assert judge(leg, paper.hosts) == ids - {paper.hosts[0].pk}
    Deploy.objects.filter(pk=deploy.pk).update(status="ok")
    assert judge(leg, paper.hosts) == ids


def unlocked(deploy: Deploy) -> list[str]:
    """Name the hosts that are asked to give the lock back."""
    hosts = deploy.steps.get(kind="unlock").run.hosts
    return sorted(hosts.values_list("host_name", flat=True))


def test_a_lock_that_was_never_taken_does_not_stay(paper: Paper) -> None:
    deploy = at_the_claim(paper)
    # The connection to the first broke, the second never was there.
    broke, away = ("unreachable", {"stage": "lock"}), ("unreachable", {})
    said = {"paper0": broke, "paper1": away, "paper2": ("skipped", {})}
    answer(deploy, "claim", said)
    assert unlocked(deploy) == ["paper0", "paper1"]
    deploy = answer(deploy, "unlock", {"paper0": away, "paper1": away})
    assert deploy.status == "failed"
    assert "Its lock stays on paper0; the next deploy" in deploy.explanation


def test_a_host_that_a_rollback_left_out_gives_the_lock_back_all_the_same(
    paper: Paper,
) -> None:
    deploy = at_the_claim(paper)
    Deploy.objects.filter(pk=deploy.pk).update(kind="rollback")
    # It took the lock, and its time was over before it said so.
    late = {"paper1": ("timed_out", {})}
    answer(deploy, "claim", {**late, "paper0": lives(OLD), "paper2": ("skipped", {})})
    assert statuses(deploy)["paper1"] == "failed"
    cancel_deploy(actor=paper.user, deploy=deploy)
    deploy = answer(deploy, "read", {})
    assert unlocked(deploy) == ["paper0", "paper1"]
    deploy = answer(deploy, "unlock", late)
    assert "Its lock stays on paper1; the next deploy" in deploy.explanation


def test_the_lock_of_a_deploy_that_goes_on_is_not_offered(paper: Paper) -> None:
    deploy, host = paper.ask(), paper.hosts[0]
    looked(paper.environment, host, str(deploy.pk))
    assert seen(paper.environment, [host.pk]) == {}
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    assert seen(paper.environment, [host.pk])[host.pk].deploy == str(deploy.pk)
    # What was read last counts.
    looked(paper.environment, host, "")
    assert seen(paper.environment, [host.pk]) == {}


def test_a_host_that_leaves_while_its_old_lock_is_asked_for_keeps_nobody_back(
    paper: Paper,
) -> None:
    deploy = at_the_claim(paper)
    old = paper.ask(artefact=deploy.artefact)
    Deploy.objects.filter(pk=old.pk).update(status="failed")
    paper.environment.hosts.remove(paper.hosts[0])
    Deploy.objects.filter(pk=deploy.pk).update(kind="rollback")
    lock = ("failed", {"lock": str(old.pk), "lock_who": "ann"})
    deploy = answer(deploy, "claim", {"paper0": lock})
    claim = deploy.steps.get(kind="claim")
    assert (claim.status, claim.found["phase"]) == ("running", "again")
    assert [one.host_name for one in claim.run.hosts.all()] == ["paper1", "paper2"]


def test_where_no_lock_was_asked_for_none_is_given_back(paper: Paper) -> None:
    deploy = at_the_claim(paper)
    claim = deploy.steps.get(kind="claim")
    Run.objects.filter(pk=claim.run_id).delete()
    assert len(_may_be_locked(claim)) == 3
    deploy.steps.filter(kind="claim").update(total=0)
    assert _may_be_locked(claim) == []
