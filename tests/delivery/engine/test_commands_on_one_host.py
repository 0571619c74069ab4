"""A command that is for one host: which one it is, that it runs nowhere else, and what becomes of it when that host is gone."""

from __future__ import annotations

import pytest

from appconf.models import EnvironmentHost
from cmdb.models import Tag
from delivery.engine.advance import advance
from delivery.engine.controlling import retry_deploy
from delivery.engine.repeating import hosts_again, plan_again
from delivery.models import Deploy
from tasks.models import Run
from tests.delivery.engine.deploy_things import running, statuses
from tests.delivery.engine.leg_things import answer, at_a_command
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
STAGES = [
    {"kind": "distribute"},
    {"kind": "command", "command": "./migrate", "on": "first"},
    {"kind": "activate"},
]


def ran_on(deploy: Deploy) -> set[str]:
    """Name the hosts on which the step that goes on works."""
    step = running(deploy)
    assert step is not None
    assert step.run is not None
    return set(step.run.hosts.values_list("host_name", flat=True))


def named(paper: Paper) -> str:
    """Name the host that a plan gives to its command."""
    (command,) = paper.plan().commands
    return command.host


def test_the_plan_names_the_first_host_of_the_first_batch_and_binds_it(
    paper: Paper,
) -> None:
    paper.way(stages=STAGES)
    before = paper.plan()
    assert named(paper) == "paper0"
    # Critical hosts come last: in one batch only this says that it is another host.
    paper.hosts[0].tags.add(Tag.objects.create(name="critical"))
    after = paper.plan()
    assert named(paper) == "paper1"
    assert before.binding["hosts"] == after.binding["hosts"]
    assert before.hash != after.hash
    paper.way(policy="canary", canary_hosts=1, batches="1")
    assert named(paper) == "paper1"
    paper.way(
        stages=[
            {**STAGES[1], "on": "all"} if n == 1 else s for n, s in enumerate(STAGES)
        ]
    )
    assert "one_host" not in paper.plan().binding


def test_it_runs_on_that_host_only_and_the_deploy_goes_on(paper: Paper) -> None:
    paper.hosts[0].tags.add(Tag.objects.create(name="critical"))
    deploy = at_a_command(paper, on="first", policy="batches", batches="1")
    assert ran_on(deploy) == {"paper1"}
    deploy = answer(deploy, "command", {})
    now = running(deploy)
    assert now is not None
    assert (now.kind, now.batch) == ("activate", 0)
    # The hosts that were not asked are as they were.
    assert set(statuses(deploy).values()) == {"received"}


def test_where_it_fails_the_deploy_ends_as_with_any_command(paper: Paper) -> None:
    deploy = at_a_command(paper, on="first")
    deploy = answer(deploy, "command", {"paper0": ("failed", {})})
    assert (deploy.ending, deploy.hosts.filter(touched=True).count()) == ("failed", 0)
    assert "paper0: it was failed" in deploy.explanation
    assert statuses(deploy)["paper1"] == "received"


@pytest.mark.parametrize("what", ["failed", "stage"])
def test_a_retry_is_for_the_same_host(paper: Paper, what: str) -> None:
    deploy = at_a_command(paper, on="first", pause_after="failure")
    deploy = answer(deploy, "command", {"paper0": ("failed", {})})
    assert deploy.status == "paused", deploy.explanation
    # By now it would come last.
    paper.hosts[0].tags.add(Tag.objects.create(name="critical"))
    retry_deploy(actor=paper.user, deploy=deploy, what=what)
    advance(deploy.pk)
    assert ran_on(deploy) == {"paper0"}


@pytest.mark.parametrize("deleted", [False, True])
def test_a_host_that_left_is_named_and_no_other_takes_its_place(
    paper: Paper, deleted: bool
) -> None:
    deploy = at_a_command(paper, on="first", pause_after="failure")
    deploy = answer(deploy, "command", {"paper0": ("failed", {})})
    EnvironmentHost.objects.filter(host=paper.hosts[0]).delete()
    if deleted:
        paper.hosts[0].delete()
    runs = Run.objects.count()
    retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "paused"
    assert "It runs on paper0 only, and nothing may be delivered there any more." in (
        deploy.waiting_for
    )
    assert Run.objects.count() == runs


def test_a_host_that_is_deleted_while_it_runs_the_command_did_not_end_well(
    paper: Paper,
) -> None:
    deploy = at_a_command(paper, on="first")
    paper.hosts[0].delete()
    deploy = answer(deploy, "command", {})
    assert deploy.ending == "failed"
    assert "paper0" in deploy.explanation


def test_a_successor_without_that_host_says_where_it_runs_now(paper: Paper) -> None:
    paper.way(stages=STAGES)
    deploy = paper.ask()
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    deploy.hosts.filter(host=paper.hosts[0]).update(status="ok")
    deploy.refresh_from_db()
    ids = hosts_again(actor=paper.user, deploy=deploy, what="failed")
    plan = plan_again(actor=paper.user, deploy=deploy, host_ids=ids)
    (words,) = (one for one in plan.warnings if "Commands for one host" in one)
    # Whoever reads it may not know the host of before.
    assert "paper0" not in words
    ids = hosts_again(actor=paper.user, deploy=deploy, what="stage")
    plan = plan_again(actor=paper.user, deploy=deploy, host_ids=ids)
    assert not any("Commands for one host" in one for one in plan.warnings)
