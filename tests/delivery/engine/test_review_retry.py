"""Faults that a review found: what a retry takes in."""

from __future__ import annotations

import pytest

from adminset.errors import Conflict
from delivery.engine.advance import advance
from delivery.engine.controlling import retry_deploy
from delivery.models import Deploy, DeployLock
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


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
