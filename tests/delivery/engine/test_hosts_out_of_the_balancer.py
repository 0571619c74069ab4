"""Hosts that were taken out of the balancer come into it again, whatever became of the switch; where that fails they are named."""

from __future__ import annotations

import pytest

from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy
from tests.delivery.engine.deploy_things import Stage, kinds, statuses
from tests.delivery.engine.leg_things import (
    OLD,
    answer,
    at_the_switch,
    lives,
    row_of,
)
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
OUT = {"drained": "1"}
# It goes out, and for a while nothing brings it in again.
GOES_OUT = 'test "$ADMINSET_ROLLBACK" = 1 || { touch ../../out ../../stuck; exit 3; }'
COMES_IN = "test ! -e ../../stuck && rm -f ../../out"


@pytest.mark.parametrize("auto", [True, False])
def test_cancelled_between_drain_and_switch_a_host_returns(
    paper: Paper, *, auto: bool
) -> None:
    deploy = at_the_switch(paper, drain="out", back="in", auto_rollback=auto)
    cancel_deploy(actor=paper.user, deploy=deploy)
    # The program was ended after the drain: it did not come to say whether it switched.
    ended = ("cancelled", OUT)
    answer(deploy, "activate", {"paper0": ended, "paper1": ("cancelled", {})})
    assert row_of(deploy, "paper0").drained
    said = {"paper0": lives(OLD, drained="1"), "paper1": lives(OLD)}
    answer(deploy, "look", {**said, "paper2": lives(OLD)})
    asked = deploy.steps.get(kind="switch_back").run.hosts
    assert list(asked.values_list("host_name", flat=True)) == ["paper0"]
    deploy = answer(deploy, "switch_back", {"paper0": lives(OLD, drained="")})
    deploy = answer(deploy, "unlock", {})
    assert deploy.status == "cancelled"
    row = row_of(deploy, "paper0")
    assert (row.status, row.touched, row.drained) == ("left", False, False)
    assert row.explanation.startswith("It is in the balancer again: release 1-")
    assert "balancer" not in deploy.explanation


def test_without_automatic_rollback_only_what_is_out_comes_back(paper: Paper) -> None:
    deploy = at_the_switch(paper, auto_rollback=False)
    new = deploy.release
    ill = ("failed", {"live": new, "switched": "yes", "why": "Not well."})
    answer(deploy, "activate", dict.fromkeys(("paper0", "paper1", "paper2"), ill))
    names = ("paper0", "paper1", "paper2")
    answer(deploy, "look", dict.fromkeys(names, lives(new, drained="1")))
    deploy = answer(deploy, "unlock", {})
    assert dict(kinds(deploy))["switch_back"] == "skipped"
    assert deploy.status == "failed"
    assert (
        "Out of the balancer, look there: paper0, paper1, paper2." in deploy.explanation
    )


def test_a_host_that_stayed_and_could_not_return_is_returned_by_the_portal(
    paper: Paper,
) -> None:
    deploy = at_the_switch(paper, drain="out", back="in")
    stayed = {"live": OLD, "switched": "no", "why": "No.", **OUT}
    answer(deploy, "activate", {"paper0": ("failed", stayed), "paper1": lives("2-x")})
    row = row_of(deploy, "paper0")
    assert (row.touched, row.drained, row.now_release) == (True, True, OLD)
    said = {"paper1": lives(OLD), "paper2": lives(OLD)}
    answer(deploy, "look", {**said, "paper0": lives(OLD, drained="1")})
    # A gate did not let it pass, and it is in the balancer all the same.
    in_again = {"live": OLD, "drained": "", "switched": "no", "why": "No."}
    answer(deploy, "switch_back", {"paper0": ("failed", in_again)})
    deploy = answer(deploy, "unlock", {})
    row = row_of(deploy, "paper0")
    assert (row.status, row.touched, row.drained) == ("left", False, False)
    assert "Not taken back" not in deploy.explanation


def test_a_rollback_that_was_cut_off_returns_the_host_to_what_it_had(
    paper: Paper,
) -> None:
    deploy = at_the_switch(paper, drain="out", back="in")
    type(deploy).objects.filter(pk=deploy.pk).update(kind="rollback")
    names = ("paper0", "paper1", "paper2")
    answer(deploy, "activate", dict.fromkeys(names, ("timed_out", OUT)))
    looked = dict.fromkeys(names, lives(OLD))
    answer(deploy, "look", {**looked, "paper1": lives(OLD, drained="1")})
    asked = deploy.steps.get(kind="switch_back").run
    assert asked is not None
    assert list(asked.hosts.values_list("host_name", flat=True)) == ["paper1"]
    # It says no more than that it is still out.
    answer(deploy, "switch_back", {"paper1": ("failed", {"live": OLD, **OUT})})
    deploy = answer(deploy, "unlock", {})
    advance(deploy.pk)
    assert deploy.status == "failed"
    assert "Out of the balancer, look there: paper1." in deploy.explanation


def test_a_host_that_says_nothing_is_out_as_it_said_before(paper: Paper) -> None:
    deploy = at_the_switch(paper, drain="out", back="in")
    deploy.hosts.filter(host_name__in=("paper0", "paper1")).update(drained=True)
    # One is away, one was never begun: neither said that it is in again.
    said = {"paper0": ("unreachable", {}), "paper1": ("skipped", {"why": "No."})}
    answer(deploy, "activate", {**said, "paper2": ("failed", {"drained": ""})})
    rows = [row_of(deploy, name) for name in ("paper0", "paper1", "paper2")]
    assert [row.drained for row in rows] == [True, True, False]
    assert all(row.touched for row in rows)
    away = {"paper0": ("unreachable", {}), "paper1": lives(OLD, drained="1")}
    answer(deploy, "look", {**away, "paper2": lives(OLD)})
    # It refused before it came to say anything of the balancer.
    refused = ("failed", {"live": OLD, "why": "Locked."})
    answer(deploy, "switch_back", {**away, "paper1": refused})
    deploy = answer(deploy, "unlock", {})
    assert "Out of the balancer, look there: paper0, paper1." in deploy.explanation
    assert "in the balancer again" not in row_of(deploy, "paper1").explanation


def test_a_way_without_a_balancer_restarts_nobody_for_it(paper: Paper) -> None:
    deploy = at_the_switch(paper)
    new = deploy.release
    ill = ("failed", {"live": new, "switched": "yes", "why": "Not well.", **OUT})
    stayed = ("failed", {"live": OLD, "switched": "no", "why": "No.", **OUT})
    answer(deploy, "activate", {"paper0": ill, "paper1": stayed})
    said = {"paper0": lives(new, drained="1"), "paper1": lives(OLD, drained="1")}
    answer(deploy, "look", {**said, "paper2": lives(OLD)})
    asked = deploy.steps.get(kind="switch_back").run.hosts
    assert list(asked.values_list("host_name", flat=True)) == ["paper0"]
    answer(deploy, "switch_back", {"paper0": lives(OLD, drained="1")})
    deploy = answer(deploy, "unlock", {})
    rows = [row_of(deploy, name) for name in ("paper0", "paper1")]
    assert [row.status for row in rows] == ["rolled_back", "failed"]
    assert [(row.touched, row.drained) for row in rows] == [(False, True)] * 2
    assert "Out of the balancer, look there: paper0, paper1." in deploy.explanation
    assert "in the balancer again" not in "".join(row.explanation for row in rows)
    assert "Not taken back" not in deploy.explanation


def test_a_real_host_that_was_left_out_of_the_balancer_is_brought_in_again(
    stage: Stage,
) -> None:
    assert stage.deploy(stage.artefact("one")).status == "ok"
    stage.way(drain=GOES_OUT, back=COMES_IN)
    roots = [stage.roots[host.pk] for host in stage.hosts]

    def mend(_step: object) -> None:
        assert all((root / "out").exists() for root in roots)
        for root in roots[:2]:
            (root / "stuck").unlink()

    stage.during["switch_back"] = mend
    deploy = stage.deploy(stage.artefact("two"))
    assert stage.live() == ["one", "one", "one"]
    found = [(root / "out").exists() for root in roots]
    assert found == [False, False, True], (deploy.explanation, kinds(deploy))
    marks = [(root / ".adminset" / "drained").exists() for root in roots]
    assert marks == found
    assert "Out of the balancer, look there: host2." in deploy.explanation
    assert statuses(deploy)["host0"] == "left"
    assert deploy.status == "failed"
