"""Deploys that go wrong: they stop at the first bad batch, take back exactly what was switched, unlock, and say so."""

from __future__ import annotations

import pytest

from delivery.engine.controlling import resume_deploy, retry_deploy
from delivery.models import DeployLock, LiveRelease
from tests.delivery.engine.deploy_things import Stage, kinds, statuses

pytestmark = pytest.mark.django_db
SICK_SECOND = 'test "$ADMINSET_HOST" != host1 || grep -q one word'
# Once somebody mended it there; what a retry runs is the same.
MENDED_SECOND = f"{SICK_SECOND} || test -e ../../mended"


def ended(deploy: object) -> dict[str, str]:
    return dict(kinds(deploy))  # type: ignore[arg-type]


def test_the_first_bad_batch_stops_it_and_what_was_switched_goes_back(
    stage: Stage,
) -> None:
    stage.way(policy="batches", batches="1")
    assert stage.deploy(stage.artefact("one")).status == "ok"
    stage.way(health_kind="command", health_target=SICK_SECOND, health_attempts=1)
    deploy = stage.deploy(stage.artefact("two"))
    assert deploy.status == "rolled_back", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["one", "one", "one"]
    assert statuses(deploy) == {
        "host0": "rolled_back",
        "host1": "rolled_back",
        "host2": "left",
    }
    assert "Not well after 1 try" in deploy.explanation
    assert "host1" in deploy.explanation
    assert not any(stage.locked())
    assert not DeployLock.objects.exists()
    assert not [row for row in LiveRelease.objects.all() if row.has_drifted]
    marked = [
        [one.name for one in (stage.roots[host.pk] / ".adminset/bad").iterdir()]
        for host in stage.hosts
    ]
    assert marked == [[deploy.release], [deploy.release], []]
    switched = [one for one in kinds(deploy) if one[0] == "activate"]
    assert switched == [
        ("activate", "ok"),
        ("activate", "failed"),
        ("activate", "skipped"),
    ]


def test_a_bad_exit_before_the_switch_switches_nothing(stage: Stage) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(before_switch="echo no; exit 7")
    deploy = stage.deploy(stage.artefact("two"))
    assert deploy.status == "failed"
    assert stage.live() == ["one", "one", "one"]
    assert "exit code 7" in deploy.explanation
    assert set(statuses(deploy).values()) == {"failed"}
    assert "switch_back" not in ended(deploy)
    assert not any(stage.locked())


def test_without_automatic_rollback_it_says_what_is_live_where(stage: Stage) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(restart="exit 5", auto_rollback=False)
    deploy = stage.deploy(stage.artefact("two"))
    assert deploy.status == "failed"
    assert stage.live() == ["two", "two", "two"]
    assert "look there: host0" in deploy.explanation
    assert not any(stage.locked())
    # The portal wanted another one: that is drift until somebody mends it.
    assert all(row.has_drifted for row in LiveRelease.objects.all())


def test_where_nothing_was_live_before_there_is_nothing_to_go_back_to(
    stage: Stage,
) -> None:
    stage.way(restart="exit 5")
    deploy = stage.deploy(stage.artefact("one"))
    assert deploy.status == "failed"
    assert stage.live() == ["one", "one", "one"]
    words = deploy.hosts.first().explanation  # type: ignore[union-attr]
    assert "nothing to go back to" in words
    assert not any(stage.locked())


def test_a_paused_deploy_tries_its_bad_batch_again_and_goes_on(stage: Stage) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(
        policy="batches", batches="1", pause_after="failure", restart="test -e ../../ok"
    )
    deploy = stage.deploy(stage.artefact("two"))
    assert deploy.status == "paused"
    assert "retry the stage" in deploy.waiting_for
    assert stage.live() == ["two", "one", "one"]
    for root in stage.roots.values():
        (root / "ok").write_text("")
    retry_deploy(actor=stage.user, deploy=deploy, what="stage")
    deploy = stage.drive(deploy)
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["two", "two", "two"]
    first = deploy.steps.get(kind="activate", batch=0)
    assert (first.attempt, first.past[0]["status"]) == (2, "failed")


def test_hosts_that_somebody_let_it_go_past_are_taken_back_at_the_end(
    stage: Stage,
) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(policy="batches", batches="1", pause_after="failure", restart=SICK_SECOND)
    deploy = stage.deploy(stage.artefact("two"))
    assert deploy.status == "paused"
    resume_deploy(actor=stage.user, deploy=deploy)
    deploy = stage.drive(deploy)
    assert deploy.status == "failed", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["two", "one", "two"]
    assert statuses(deploy)["host1"] == "rolled_back"
    assert not any(stage.locked())


def test_failed_hosts_are_tried_again_with_the_same_artefact(stage: Stage) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(
        policy="batches", batches="1", pause_after="failure", restart=MENDED_SECOND
    )
    second = stage.artefact("two")
    deploy = stage.deploy(second)
    resume_deploy(actor=stage.user, deploy=deploy)
    deploy = stage.drive(deploy)
    (stage.roots[stage.hosts[1].pk] / "mended").touch()
    again = stage.drive(retry_deploy(actor=stage.user, deploy=deploy))
    assert (again.status, again.retried_from, again.artefact) == ("ok", deploy, second)
    assert statuses(again) == {"host1": "ok"}
    assert stage.live() == ["two", "two", "two"]


def test_a_distribution_that_failed_is_made_again_where_people_are_asked(
    stage: Stage,
) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(pause_after="failure")
    sums = stage.roots[stage.hosts[1].pk] / ".adminset" / "sums"

    def obstruct(step: object) -> None:
        sums.rename(sums.with_name("away"))
        sums.touch()

    stage.during["distribute"] = obstruct
    deploy = stage.deploy(stage.artefact("two"))
    sums.unlink()
    sums.with_name("away").rename(sums)
    assert deploy.status == "paused", (deploy.explanation, kinds(deploy))
    assert "host1" in deploy.waiting_for
    assert statuses(deploy)["host1"] == "failed"
    assert (stage.live(), stage.locked()) == (["one"] * 3, [True] * 3)
    stage.during.clear()
    retry_deploy(actor=stage.user, deploy=deploy, what="stage")
    assert statuses(deploy)["host1"] == "waiting"
    deploy = stage.drive(deploy)
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["two"] * 3
    assert deploy.steps.get(kind="distribute").attempt == 2
