"""After one environment comes the next: the very artefact that ran well, once, and never in a circle."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from appconf.environment_models import EnvironmentHost
from appconf.models import Environment
from delivery.models import Deploy, DeployRequest, FollowUp
from delivery.triggers import following
from delivery.triggers.forms import FollowUpForm
from delivery.triggers.making import make
from tests.app_factories import make_environment, make_project
from tests.delivery.factories import make_deploy, make_pipeline
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import make_follow_up
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(paper: Paper) -> Environment:
    """Comes after the environment of the paper, on the same hosts."""
    return make_environment(
        paper.pipeline.project,
        "production",
        hosts=paper.hosts,
        by=paper.user,
        position=9,
    )


def ended(paper: Paper, status: str = "ok", **fields: object) -> Deploy:
    artefact = fields.pop("artefact", None) or paper.artefact(
        Deploy.objects.count() + 1
    )
    fields = {
        "artefact": artefact,
        "status": status,
        "ended_at": timezone.now(),
    } | fields
    return make_deploy(paper.environment, pipeline=paper.pipeline, **fields)  # type: ignore[arg-type]


def test_the_same_artefact_goes_on_when_all_was_well(
    paper: Paper, production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = make_follow_up(paper, production)
    deploy = ended(paper)
    following.deploy_ended(deploy.pk)
    following.deploy_ended(deploy.pk)
    row = DeployRequest.objects.get()
    assert (row.kind, row.artefact, row.environment, row.follow_up) == (
        "promote",
        deploy.artefact,
        production,
        rule,
    )
    monkeypatch.setattr("delivery.models.Artefact.is_stored", True)
    make(row.pk)
    row.refresh_from_db()
    made = row.deploy
    assert made is not None, row.words
    assert (made.kind, made.trigger, made.artefact_id) == (
        "promote",
        "after",
        deploy.artefact_id,
    )
    assert str(deploy.pk) in made.reason


@pytest.mark.parametrize("status", ["failed", "cancelled", "rolled_back", "running"])
def test_nothing_follows_what_did_not_end_well(
    paper: Paper, production: Environment, status: str
) -> None:
    make_follow_up(paper, production)
    following.deploy_ended(ended(paper, status).pk)
    assert not DeployRequest.objects.exists()


def test_a_way_back_and_a_trial_on_one_host_are_not_followed(
    paper: Paper, production: Environment
) -> None:
    make_follow_up(paper, production)
    following.deploy_ended(ended(paper, kind="rollback").pk)
    following.deploy_ended(ended(paper, hosts=paper.hosts[:1]).pk)
    assert not DeployRequest.objects.exists()


def test_a_trial_stays_one_when_the_other_hosts_are_gone_later(
    paper: Paper, production: Environment
) -> None:
    make_follow_up(paper, production)
    trial = ended(paper, hosts=paper.hosts[:1])
    EnvironmentHost.objects.exclude(host=paper.hosts[0]).delete()
    following.deploy_ended(trial.pk)
    following.sweep()
    EnvironmentHost.objects.all().delete()
    following.sweep()
    assert not DeployRequest.objects.exists()


@pytest.mark.parametrize(("hosts", "followed"), [(3, True), (2, False)])
def test_a_deploy_of_before_the_upgrade_is_compared_with_the_hosts_of_now(
    paper: Paper, production: Environment, hosts: int, followed: bool
) -> None:
    make_follow_up(paper, production)
    deploy = ended(paper, hosts=paper.hosts[:hosts])
    # What main wrote.
    del deploy.plan["whole"]
    deploy.save(update_fields=["plan"])
    following.sweep()
    following.deploy_ended(deploy.pk)
    assert DeployRequest.objects.count() == int(followed)


def test_hosts_that_come_later_make_no_trial_of_it(
    paper: Paper, production: Environment
) -> None:
    make_follow_up(paper, production)
    deploy = ended(paper)
    EnvironmentHost.objects.create(
        environment=paper.environment, host=make_host(), added_by=paper.user
    )
    following.sweep()
    assert DeployRequest.objects.get().key.endswith(f":{deploy.pk}")


def test_what_is_asked_for_says_whether_it_is_for_all_hosts(paper: Paper) -> None:
    keys = [host.pk for host in paper.hosts]
    asked = [paper.ask(), paper.ask(host_ids=keys), paper.ask(host_ids=keys[:1])]
    assert [deploy.plan["whole"] for deploy in asked] == [True, True, False]


def test_a_rule_that_was_saved_after_the_deploy_had_ended_does_not_follow_it(
    paper: Paper, production: Environment
) -> None:
    deploy = ended(paper)
    make_follow_up(paper, production)
    following.deploy_ended(deploy.pk)
    following.sweep()
    assert not DeployRequest.objects.exists()


def test_what_follows_and_follows_comes_to_an_end(
    paper: Paper, production: Environment, settings: Any
) -> None:
    settings.DELIVERY_FOLLOW_MOST = 2
    rule, back = (
        make_follow_up(paper, production),
        make_follow_up(paper, paper.environment, after_environment=production),
    )
    deploy = ended(paper)
    for environment in (production, paper.environment, production):
        following.deploy_ended(deploy.pk)
        row = DeployRequest.objects.filter(deploy=None).first()
        if row is None:
            break
        deploy = make_deploy(
            environment,
            pipeline=paper.pipeline,
            status="ok",
            ended_at=timezone.now(),
            artefact=paper.artefact(Deploy.objects.count() + 1),
        )
        DeployRequest.objects.filter(pk=row.pk).update(deploy=deploy)
    assert list(
        DeployRequest.objects.order_by("pk").values_list("depth", flat=True)
    ) == [1, 2]
    rule.refresh_from_db()
    back.refresh_from_db()
    assert (rule.enabled, back.enabled) == (False, True)
    assert "followed one upon another" in rule.notice
    following.sweep()
    assert DeployRequest.objects.count() == 2


def test_one_that_is_off_follows_nothing(paper: Paper, production: Environment) -> None:
    make_follow_up(paper, production, enabled=False)
    following.deploy_ended(ended(paper).pk)
    assert not DeployRequest.objects.exists()


def test_what_nobody_was_told_is_found_by_the_sweeper_once(
    paper: Paper, production: Environment
) -> None:
    make_follow_up(paper, production)
    before = ended(paper, ended_at=timezone.now() - timezone.timedelta(days=2))
    deploy = ended(paper)
    following.sweep()
    following.sweep()
    assert [row.key for row in DeployRequest.objects.all()] == [
        f"after:{FollowUp.objects.get().pk}:{deploy.pk}"
    ]
    assert not DeployRequest.objects.filter(key__endswith=f":{before.pk}").exists()


def test_another_project_follows_with_a_branch_of_its_own(paper: Paper) -> None:
    other = make_project("other")
    environment = make_environment(other, "live", hosts=paper.hosts, by=paper.user)
    rule = make_follow_up(
        paper, environment, pipeline=make_pipeline(other), branch="stable"
    )
    assert not rule.promotes
    following.deploy_ended(ended(paper).pk)
    row = DeployRequest.objects.get()
    assert (row.kind, row.ref_kind, row.ref, row.artefact) == (
        "deploy",
        "branch",
        "stable",
        None,
    )


def form(paper: Paper, start: Environment, end: Environment) -> FollowUpForm:
    data = {
        "after_pipeline": paper.pipeline.pk,
        "after_environment": start.pk,
        "pipeline": paper.pipeline.pk,
        "environment": end.pk,
    }
    return FollowUpForm(data, user=paper.user)


def test_a_circle_is_refused_with_its_places(
    paper: Paper, production: Environment
) -> None:
    third = make_environment(
        paper.pipeline.project, "third", hosts=paper.hosts, by=paper.user
    )
    make_follow_up(paper, production)
    FollowUp.objects.create(
        after_pipeline=paper.pipeline,
        after_environment=production,
        pipeline=paper.pipeline,
        environment=third,
        enabled=False,
    )
    for start in (third, production):
        refused = form(paper, start, paper.environment)
        assert not refused.is_valid()
        assert "circle" in str(refused.errors)
        assert "production" in str(refused.errors)
    assert not form(paper, third, third).is_valid()
    assert form(paper, paper.environment, third).is_valid()
