"""What a host did not say is not written down: neither that it runs the old release, nor that it was never switched."""

from __future__ import annotations

import pytest

from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy, retry_deploy
from delivery.models import LiveRelease
from tests.delivery.engine.leg_things import (
    OLD,
    answer,
    at_the_switch,
    lives,
    row_of,
)
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
AWAY = ("unreachable", {})


def live(paper: Paper, number: int) -> LiveRelease:
    return LiveRelease.objects.get(host=paper.hosts[number])


def test_a_host_that_is_away_after_the_switch_runs_nobody_knows_what(
    paper: Paper,
) -> None:
    for host in paper.hosts:
        make_live(paper.environment, host, OLD)
    read = live(paper, 0).read_at
    deploy = at_the_switch(paper)
    new = deploy.release
    said = {"paper0": AWAY, "paper1": lives(new), "paper2": lives(new)}
    answer(deploy, "activate", said)
    row = row_of(deploy, "paper0")
    assert (row.status, row.touched, row.now_release) == ("unreachable", True, "?")
    silent = live(paper, 0)
    assert (silent.problem, silent.read_at) == ("it was unreachable", read)
    answer(deploy, "look", {**said, "paper0": AWAY})
    answer(deploy, "switch_back", {**said, "paper0": AWAY, "paper1": lives(OLD)})
    deploy = answer(deploy, "unlock", {"paper0": AWAY})
    assert deploy.status == "failed"
    assert "Not taken back, look there: paper0 (?)" in deploy.explanation
    assert "paper0 (1-" not in deploy.explanation
    assert live(paper, 0).problem
    assert (live(paper, 1).said, live(paper, 1).problem) == (OLD, "")


def test_what_a_host_says_with_its_failure_is_kept(paper: Paper) -> None:
    for host in paper.hosts:
        make_live(paper.environment, host, OLD, problem="it was away")
    deploy = at_the_switch(paper)
    new = deploy.release
    ill = {"live": new, "switched": "yes", "why": "Not well."}
    stayed = {"live": OLD, "switched": "no", "why": "No disk."}
    said = {"paper0": ("failed", ill), "paper1": ("failed", stayed)}
    answer(deploy, "activate", {**said, "paper2": lives(new)})
    found = [row_of(deploy, name) for name in ("paper0", "paper1", "paper2")]
    assert [(row.now_release, row.touched) for row in found] == [
        (new, True),
        (OLD, False),
        (new, True),
    ]
    assert [(live(paper, n).said, live(paper, n).problem) for n in range(3)] == [
        (new, ""),
        (OLD, ""),
        (new, ""),
    ]


def test_where_the_new_release_is_live_it_is_looked_after_whatever_it_says(
    paper: Paper,
) -> None:
    deploy = at_the_switch(paper)
    new = deploy.release
    odd = {"live": new, "switched": "no", "why": "No disk."}
    answer(deploy, "activate", {"paper0": ("failed", odd)})
    row = row_of(deploy, "paper0")
    assert (row.touched, row.now_release) == (True, new)
    answer(deploy, "look", dict.fromkeys(("paper0", "paper1", "paper2"), lives(new)))
    asked = deploy.steps.get(kind="switch_back").run.hosts
    assert asked.filter(host_name="paper0").exists()


def test_a_retry_that_never_reached_a_host_does_not_forget_that_it_was_switched(
    paper: Paper,
) -> None:
    deploy = at_the_switch(paper, pause_after="failure")
    new = deploy.release
    ill = ("failed", {"live": new, "switched": "yes", "why": "Not well."})
    said = {f"paper{number}": ill for number in range(3)}
    deploy = answer(deploy, "activate", said)
    assert deploy.status == "paused"
    retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    advance(deploy.pk)
    cancel_deploy(actor=paper.user, deploy=deploy)
    # The worker that took it may not work on it any more: nothing was begun.
    never = ("skipped", {})
    deploy = answer(deploy, "activate", dict.fromkeys(said, never))
    assert [row.touched for row in deploy.hosts.all()] == [True] * 3
    answer(deploy, "look", dict.fromkeys(said, lives(new)))
    answer(deploy, "switch_back", dict.fromkeys(said, lives(OLD)))
    deploy = answer(deploy, "unlock", {})
    assert deploy.status == "cancelled"
    assert [row.status for row in deploy.hosts.all()] == ["rolled_back"] * 3
    assert not deploy.hosts.filter(touched=True).exists()


def test_a_host_that_was_taken_back_says_what_is_true_now(paper: Paper) -> None:
    deploy = at_the_switch(paper)
    new = deploy.release
    why = f"Not well after 1 try. Release {new} is live here."
    ill = ("failed", {"live": new, "switched": "yes", "why": why})
    names = [f"paper{number}" for number in range(3)]
    answer(deploy, "activate", dict.fromkeys(names, ill))
    assert "is live here" in row_of(deploy, "paper0").explanation
    answer(deploy, "look", dict.fromkeys(names, lives(new)))
    answer(deploy, "switch_back", dict.fromkeys(names, lives(OLD)))
    deploy = answer(deploy, "unlock", {})
    assert deploy.status == "rolled_back"
    assert row_of(deploy, "paper0").explanation == (
        f"It was taken back: release {OLD} is live. Before that: Not well after 1 try."
    )
    assert "is live here" not in deploy.explanation
    assert "Not well after 1 try." in deploy.explanation
