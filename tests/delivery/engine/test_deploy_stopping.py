"""A cancel that comes late: what is live is rolled back, not cancelled. And a retry runs nothing that nobody has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from appconf.models import EnvironmentHost, Variable
from delivery.engine import handlers, moves
from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy, retry_deploy
from delivery.engine.judging import judge
from delivery.models import Deploy, DeployLock, DeployStep
from delivery.way_models import Way
from tasks.legs.judging import leg_refusal
from tests.delivery.engine.deploy_things import kinds, running
from tests.delivery.engine.leg_things import end_leg
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def at_the_end(paper: Paper, status: str) -> Deploy:
    """A deploy whose hosts all run the release and are well, and its last step in a status."""
    deploy = paper.ask()
    advance(deploy.pk)
    deploy.steps.exclude(kind="finish").update(status="ok")
    deploy.steps.filter(kind="claim").update(started_at=deploy.created_at)
    deploy.hosts.update(status="ok", touched=True, from_release="0-a", has_said=True)
    step = deploy.steps.get(kind="finish")
    if status != "waiting":
        moves.begin_step(step)
    deploy.steps.filter(pk=step.pk).update(status=status)
    Deploy.objects.filter(pk=deploy.pk).update(status="paused")
    deploy.refresh_from_db()
    return deploy


@pytest.mark.parametrize("status", ["running", "ok"])
def test_what_is_live_is_not_cancelled_any_more(paper: Paper, status: str) -> None:
    deploy = at_the_end(paper, status)
    with pytest.raises(Conflict, match="The release is live") as refused:
        cancel_deploy(actor=paper.user, deploy=deploy)
    assert refused.value.code == "live"
    assert "Roll back" in refused.value.hint
    deploy.refresh_from_db()
    assert deploy.cancel_requested_at is None
    assert not AuditEntry.objects.filter(verb="deploy.cancel").exists()


def test_until_it_is_finished_a_cancel_takes_back_what_was_switched(
    paper: Paper,
) -> None:
    deploy = at_the_end(paper, "waiting")
    cancel_deploy(actor=paper.user, deploy=deploy)
    advance(deploy.pk)
    step = running(deploy)
    assert step is not None
    assert step.kind == "look"
    assert ("switch_back", "waiting") in kinds(deploy)


def finishes(paper: Paper, status: str = "waiting") -> Deploy:
    """A deploy that goes on with its last step."""
    deploy = at_the_end(paper, status)
    Deploy.objects.filter(pk=deploy.pk).update(status="running")
    return Deploy.objects.get(pk=deploy.pk)


def test_what_is_live_everywhere_is_finished_also_where_who_asked_is_gone(
    paper: Paper,
) -> None:
    deploy = finishes(paper)
    User.objects.filter(pk=paper.user.pk).update(is_active=False, is_superuser=False)
    EnvironmentHost.objects.filter(host=paper.hosts[0]).delete()
    advance(deploy.pk)
    step = running(deploy)
    assert step is not None
    assert step.kind == "finish", kinds(deploy)
    assert step.run is not None
    assert leg_refusal(step.run) == ""
    assert judge(step.run, paper.hosts) == {host.pk for host in paper.hosts}
    end_leg(step, {})
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.ending) == ("ok", ""), deploy.explanation


def test_hosts_of_a_deploy_whose_last_step_could_not_begin_go_back(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = finishes(paper)
    real = handlers.begin

    def broken(step: DeployStep) -> Any:
        if step.kind == "finish":
            raise DomainError("A variable was changed.")
        return real(step)

    monkeypatch.setattr(handlers, "begin", broken)
    advance(deploy.pk)
    step = running(deploy)
    assert step is not None
    assert step.kind == "look"
    assert ("switch_back", "waiting") in kinds(deploy)
    deploy.refresh_from_db()
    assert "A variable was changed." in deploy.explanation


def failed(paper: Paper) -> Deploy:
    """A deploy that failed on all of its hosts."""
    deploy = paper.ask()
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    DeployLock.objects.all().delete()
    deploy.refresh_from_db()
    return deploy


def other_way(paper: Paper) -> None:
    """Somebody writes another command."""
    paper.way(restart="rm -rf /srv/data")


def other_path(paper: Paper) -> None:
    """Somebody points the project elsewhere."""
    project = paper.pipeline.project
    project.deploy_path = "/srv/elsewhere"
    project.save()


def other_account(paper: Paper) -> None:
    """Somebody gives the files to another user."""
    project = paper.pipeline.project
    project.run_user = "root"
    project.save()


def other_variable(paper: Paper) -> None:
    """Somebody sets a variable."""
    Variable.objects.create(
        level="environment", environment=paper.environment, name="MODE", value="fast"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_way, "the way of the pipeline"),
        (other_path, "the deploy path"),
        (other_account, "user and group of the files"),
        (other_variable, "These variables changed since somebody said yes: MODE"),
    ],
)
def test_a_retry_runs_nothing_that_nobody_has_seen(
    paper: Paper, change: Callable[[Paper], Any], words: str
) -> None:
    deploy = failed(paper)
    change(paper)
    again = Deploy.objects.get(pk=deploy.pk)
    with pytest.raises(Conflict, match=words) as refused:
        retry_deploy(actor=paper.user, deploy=again)
    assert refused.value.code == "plan_changed"
    assert "Make a new plan" in refused.value.hint
    assert Deploy.objects.count() == 1


def test_where_all_is_as_it_was_a_retry_has_the_same_way(paper: Paper) -> None:
    deploy = failed(paper)
    some = deploy.hosts.order_by("pk")[0]
    deploy.hosts.filter(pk=some.pk).update(status="ok")
    again = retry_deploy(actor=paper.user, deploy=deploy, reason="once more")
    assert (again.retried_from, again.way) == (deploy, deploy.way)
    assert again.hosts.count() == 2


def test_a_deploy_of_before_a_field_came_is_retried_all_the_same(paper: Paper) -> None:
    deploy = failed(paper)
    for name in Way.LATER:
        deploy.plan["way"].pop(name)
    deploy.save(update_fields=["plan"])
    again = retry_deploy(actor=paper.user, deploy=deploy)
    assert again.retried_from == deploy
    paper.way(gate_measure="rate")
    with pytest.raises(Conflict, match="the way of the pipeline"):
        retry_deploy(actor=paper.user, deploy=Deploy.objects.get(pk=deploy.pk))


def test_where_no_bad_host_is_left_a_retry_does_not_mean_all_hosts(
    paper: Paper,
) -> None:
    deploy = paper.ask()
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    DeployLock.objects.all().delete()
    deploy.refresh_from_db()
    deploy.hosts.update(status="ok")
    with pytest.raises(Conflict, match="None of the hosts"):
        retry_deploy(actor=paper.user, deploy=deploy, what="failed")
    assert Deploy.objects.count() == 1


def test_a_stage_is_not_retried_while_another_one_runs(paper: Paper) -> None:
    deploy = paper.ask()
    advance(deploy.pk)
    first, second = deploy.steps.order_by("position")[:2]
    deploy.steps.filter(pk=first.pk).update(status="failed")
    deploy.steps.filter(pk=second.pk).update(status="running")
    Deploy.objects.filter(pk=deploy.pk).update(status="paused")
    with pytest.raises(Conflict, match="nothing to retry"):
        retry_deploy(actor=paper.user, deploy=deploy, what="stage")
    first.refresh_from_db()
    assert first.status == "failed"
