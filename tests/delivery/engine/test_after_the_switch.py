"""A command at the portal behind the switch decides as health does: hosts go back, or a person is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from delivery.engine.advance import advance
from delivery.engine.controlling import resume_deploy, retry_deploy
from delivery.models import Deploy, DeployStep
from delivery.stages import check_stages
from tests.delivery.engine.deploy_things import Stage, kinds, running, statuses
from tests.delivery.engine.leg_things import OLD, answer, at_the_switch, lives
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
SMOKE = {"kind": "after", "title": "Smoke", "command": "./smoke", "timeout": 9}
STAGES = [{"kind": "distribute"}, {"kind": "activate"}, SMOKE]
NAMES = ("paper0", "paper1", "paper2")


def smoking(paper: Paper, **way: object) -> DeployStep:
    """Give the step of a deploy whose hosts have all switched."""
    deploy = at_the_switch(paper, stages=STAGES, **way)
    answer(deploy, "activate", {name: lives(deploy.release) for name in NAMES})
    step = running(deploy)
    assert step is not None
    assert (step.kind, step.words) == ("after", "Smoke")
    assert step.options == {"command": "./smoke", "timeout": 9}
    return step


def ends(step: DeployStep, status: str) -> Deploy:
    """Let the work of the step end."""
    told = {"status": status, "words": "it is sick.", "attempt": step.attempt}
    DeployStep.objects.filter(pk=step.pk).update(found={"outcome": told})
    advance(step.deploy_id)
    return Deploy.objects.get(pk=step.deploy_id)


def test_one_that_ends_well_lets_the_release_be_finished(paper: Paper) -> None:
    deploy = ends(smoking(paper), "ok")
    now = running(deploy)
    assert now is not None
    assert now.kind == "finish"


def test_a_bad_exit_takes_back_what_was_switched(paper: Paper) -> None:
    deploy = ends(smoking(paper), "failed")
    assert (deploy.ending, deploy.explanation) == ("failed", "Smoke: it is sick.")
    assert deploy.steps.get(kind="finish").status == "skipped"
    answer(deploy, "look", {name: lives(deploy.release) for name in NAMES})
    answer(deploy, "switch_back", {name: lives(OLD) for name in NAMES})
    deploy = answer(deploy, "unlock", {})
    assert deploy.status == "rolled_back", deploy.explanation
    assert set(statuses(deploy).values()) == {"rolled_back"}


def test_where_people_are_asked_it_waits_and_is_done_once_more(paper: Paper) -> None:
    deploy = ends(smoking(paper, pause_after="failure"), "failed")
    assert deploy.status == "paused"
    assert "Resume it to go on all the same" in deploy.waiting_for
    retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    advance(deploy.pk)
    again = running(deploy)
    assert again is not None
    assert (again.kind, again.attempt) == ("after", 2)
    deploy = ends(again, "failed")
    assert deploy.status == "paused"
    resume_deploy(actor=paper.user, deploy=deploy)
    advance(deploy.pk)
    now = running(deploy)
    assert now is not None
    assert now.kind == "finish"


def test_it_comes_behind_the_switch_and_is_shown_as_at_the_portal(
    paper: Paper,
) -> None:
    with pytest.raises(ValidationError, match="comes behind the switch"):
        check_stages([SMOKE, *STAGES[:2]])
    with pytest.raises(ValidationError, match="needs a command"):
        check_stages([*STAGES[:2], {"kind": "after"}])
    check_stages(STAGES)
    paper.way(stages=STAGES, restart="true")
    told = [(one.stage, one.where) for one in paper.plan().commands]
    assert told == [("restart", "hosts"), ("Smoke", "portal")]


def test_on_real_hosts_one_migrates_and_a_smoke_test_takes_all_back(
    stage: Stage, settings: Any, tmp_path: Path
) -> None:
    settings.BUILD_DIR = tmp_path / "builds"
    ran = tmp_path / "ran"
    migrate = {
        "kind": "command",
        "command": f'echo "$ADMINSET_HOST" >>{ran}',
        "on": "first",
    }
    smoke = {"kind": "after", "command": "test $(cat word) != two || exit 3"}
    stages = [{"kind": "distribute"}, migrate, {"kind": "activate"}, smoke]
    stage.way(stages=stages)
    deploy = stage.deploy(stage.artefact("one"))
    assert (deploy.status, stage.live()) == ("ok", ["one"] * 3), kinds(deploy)
    assert len(ran.read_text().splitlines()) == 1
    deploy = stage.deploy(stage.artefact("two"))
    assert "ended with exit code 3" in deploy.explanation
    assert (deploy.status, stage.live()) == ("rolled_back", ["one"] * 3), kinds(deploy)
    assert stage.locked() == [False] * 3
    assert len(ran.read_text().splitlines()) == 2
