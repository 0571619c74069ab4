"""Where legs may work, what is read back, and what the pages of other rooms tell of deploys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from appconf.models import EnvironmentHost
from delivery.engine import calls, showing
from delivery.engine.advance import advance
from delivery.engine.judging import judge
from delivery.engine.local_work import Lost, do_step, give, take
from delivery.models import Deploy, DeployStep, LiveRelease
from delivery.safety import drift
from monitor.ranges import Span
from tasks.models import Run
from tasks.services.execute import execute_run
from tests.app_factories import grant_on
from tests.delivery.engine.deploy_things import Stage, kinds, running
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


def leg_of(deploy: Deploy) -> Run:
    return Run(purpose="delivery.activate", subject=f"delivery.deploy:{deploy.pk}")


def test_a_leg_works_only_on_vouched_hosts_of_a_deploy_that_is_open(
    paper: Paper,
) -> None:
    deploy = paper.ask()
    ids = {host.pk for host in paper.hosts}
    stranger = make_host("stranger")
    assert judge(leg_of(deploy), [*paper.hosts, stranger]) == ids
    EnvironmentHost.objects.filter(host=paper.hosts[0]).delete()
    assert judge(leg_of(deploy), paper.hosts) == ids - {paper.hosts[0].pk}
    User.objects.update(is_active=False)
    assert judge(leg_of(deploy), paper.hosts) == set()
    # What mends goes on.
    Deploy.objects.filter(pk=deploy.pk).update(ending="failed")
    assert judge(leg_of(deploy), paper.hosts) == ids
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    assert judge(leg_of(deploy), paper.hosts) == set()
    for subject in ("", "delivery.deploy:0", "delivery.deploy:x", "tasks.run:1"):
        assert judge(Run(purpose="delivery.x", subject=subject), paper.hosts) == set()


def test_a_host_that_leaves_the_environment_meanwhile_is_told_so(stage: Stage) -> None:
    deploy = stage.ask(stage.artefact("one"))

    def leave(step: DeployStep) -> None:
        EnvironmentHost.objects.filter(host=stage.hosts[1]).delete()

    stage.during["pack"] = leave
    deploy = stage.drive(deploy)
    assert deploy.status == "failed", kinds(deploy)
    row = deploy.hosts.get(host=stage.hosts[1])
    assert "it left the environment" in row.explanation
    assert stage.live()[1] == ""
    assert not any(stage.locked())


def test_what_is_live_is_read_back_and_drift_is_told_once(stage: Stage) -> None:
    first, second = stage.artefact("one"), stage.artefact("two")
    stage.deploy(first)
    stage.deploy(second)
    root = stage.roots[stage.hosts[0].pk]
    (root / "current").unlink()
    (root / "current").symlink_to(f"releases/{first.release}")
    assert drift.ask_due() == []
    for _number in range(2):
        late = timezone.now() - timedelta(hours=1)
        LiveRelease.objects.update(read_at=late)
        Run.objects.update(leg_key=None)
        assert drift.ask_due() == [stage.environment.pk]
        run = Run.objects.latest("pk")
        execute_run(pk=run.pk, worker="test")
        calls.run_ended(run.pk)
    row = LiveRelease.objects.get(host=stage.hosts[0])
    assert (row.said, row.expected) == (first.release, second.release)
    assert row.has_drifted
    line = AuditEntry.objects.get(verb="liverelease.drift")
    assert line.reason == (
        f"host0 runs {first.release}, the portal says {second.release}."
    )
    assert LiveRelease.objects.get(host=stage.hosts[1]).said == second.release


def test_work_at_the_portal_of_a_lost_worker_is_done_by_another(stage: Stage) -> None:
    deploy = stage.ask(stage.artefact("one"))
    lost: list[Any] = []

    def lose(step: DeployStep) -> None:
        if not lost:
            lost.append(take(step.pk, "first"))
            assert do_step(pk=step.pk, worker="second", threaded=False) is None
            late = timezone.now() - timedelta(seconds=1)
            DeployStep.objects.filter(pk=step.pk).update(lease_until=late)
            advance(deploy.pk)

    stage.during["pack"] = lose
    deploy = stage.drive(deploy)
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert deploy.steps.get(kind="pack").losses == 1
    # The first one comes back: nothing of what it writes counts.
    assert not give(lost[0], {"packs": {"whole": 1}})
    with pytest.raises(Lost):
        lost[0].look()


def test_a_step_over_which_worker_after_worker_is_lost_is_given_up(
    stage: Stage,
) -> None:
    stage.deploy(stage.artefact("one"))
    deploy = stage.ask(stage.artefact("two"))
    stage.during["pack"] = lambda step: False
    deploy = stage.drive(deploy)
    step = running(deploy)
    assert step is not None
    for number in range(3):
        assert take(step.pk, f"worker{number}")
        late = timezone.now() - timedelta(seconds=1)
        DeployStep.objects.filter(kind="pack").update(lease_until=late)
        advance(deploy.pk)
    deploy = stage.drive(deploy)
    assert deploy.status == "failed"
    assert "3 workers were lost over it" in deploy.explanation
    assert stage.live() == ["one", "one", "one"]
    assert not any(stage.locked())


def test_charts_and_runs_tell_of_deploys_to_who_may_see_them(paper: Paper) -> None:
    deploy = paper.ask()
    advance(deploy.pk)
    now = timezone.now().timestamp()
    span = Span("hour", now - 600, now + 600)
    (mark,) = showing.marks(paper.user, paper.hosts[0], span)
    assert (mark.kind, mark.url) == ("deploy", f"/delivery/deploys/{deploy.pk}/")
    assert "deploy of paper" in mark.title
    stranger = make_user("stranger")
    assert list(showing.marks(stranger, paper.hosts[0], span)) == []
    assert showing.words_of(stranger, f"delivery.deploy:{deploy.pk}") is None
    grant_on(stranger, ("delivery.view_deploy",), paper.pipeline.project)
    found = showing.words_of(stranger, f"delivery.deploy:{deploy.pk}")
    assert found == (str(deploy), mark.url)
