"""A yes binds the value of each variable on each host: a host that is gone changes none of them."""

from __future__ import annotations

import pytest

from adminset.errors import Conflict
from appconf.models import Variable
from delivery.engine.advance import advance
from delivery.engine.context import context_of
from delivery.engine.repeating import plan_again
from delivery.models import Deploy, DeployStep
from delivery.planning.bound import ensure_unchanged
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


def modes(paper: Paper) -> Variable:
    """MODE is fast everywhere but on the last host; give its row there."""
    Variable.objects.create(
        level="environment", environment=paper.environment, name="MODE", value="fast"
    )
    return Variable.objects.create(
        level="host",
        host=paper.hosts[-1],
        name="MODE",
        value="slow",
    )


def begun(paper: Paper) -> Deploy:
    deploy = paper.ask()
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


@pytest.mark.parametrize("number", [0, -1])
def test_a_host_that_is_deleted_is_no_changed_variable(
    paper: Paper, number: int
) -> None:
    modes(paper)
    deploy = paper.ask()
    paper.hosts[number].delete()
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "running", deploy.explanation
    told = context_of(deploy, DeployStep(deploy=deploy, kind="command"))
    assert len(told.host_variables) == len(paper.hosts) - 1


def test_another_value_on_one_host_is_a_change_and_the_plan_says_no_value(
    paper: Paper,
) -> None:
    row = modes(paper)
    deploy = begun(paper)
    assert "slow" not in str(deploy.plan)
    ensure_unchanged(deploy)
    Variable.objects.filter(pk=row.pk).update(value="fast")
    with pytest.raises(Conflict, match="somebody said yes: MODE"):
        ensure_unchanged(deploy)


def test_a_variable_that_comes_or_goes_on_one_host_is_a_change(paper: Paper) -> None:
    row = modes(paper)
    deploy = begun(paper)
    Variable.objects.create(
        level="host",
        host=paper.hosts[0],
        name="NEW",
        value="x",
    )
    with pytest.raises(Conflict, match="NEW"):
        ensure_unchanged(deploy)
    Variable.objects.filter(name="NEW").delete()
    row.delete()
    with pytest.raises(Conflict, match="MODE"):
        ensure_unchanged(deploy)


def test_a_batch_asks_for_the_variables_of_its_own_hosts(paper: Paper) -> None:
    row = modes(paper)
    paper.way(policy="batches", batches="1")
    deploy = begun(paper)
    Variable.objects.filter(pk=row.pk).update(value="other")
    last = deploy.hosts.get(host=paper.hosts[-1]).batch
    told = context_of(deploy, DeployStep(deploy=deploy, kind="activate", batch=0))
    assert list(told.host_variables) == [paper.hosts[0].pk]
    with pytest.raises(Conflict, match="MODE"):
        context_of(deploy, DeployStep(deploy=deploy, kind="activate", batch=last))


def test_a_retry_asks_for_the_hosts_that_it_is_for(paper: Paper) -> None:
    row = modes(paper)
    deploy = begun(paper)
    first, last = paper.hosts[0].pk, paper.hosts[-1].pk
    Variable.objects.filter(pk=row.pk).update(value="other")
    plan = plan_again(actor=paper.user, deploy=deploy, host_ids=[first])
    assert [one.host_id for one in plan.rows] == [first]
    with pytest.raises(Conflict, match="MODE") as refused:
        plan_again(actor=paper.user, deploy=deploy, host_ids=[last])
    assert refused.value.code == "plan_changed"
