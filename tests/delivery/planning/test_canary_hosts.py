"""Which hosts are the canary: those of a group, else the first by name; said by the plan, and bound to its hash."""

from __future__ import annotations

import pytest

from adminset.crud import services
from adminset.errors import Conflict
from cmdb.models import HostGroup
from delivery.planning.shown import shown_plan
from tests.delivery.planning.test_plans import batches
from tests.delivery.safety.safety_things import Paper
from tests.factories import grant, make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(paper: Paper) -> HostGroup:
    """The group that is the canary of the pipeline: two of the three hosts."""
    made = make_group("brave")
    for host in paper.hosts[1:]:
        host.groups.add(made)
    paper.way(policy="canary", canary_hosts=1, batches="", canary_group=made)
    return made


def test_the_hosts_of_the_group_go_first_whatever_the_number(
    paper: Paper, group: HostGroup
) -> None:
    plan = paper.plan()
    assert batches(plan) == [("paper1", 0), ("paper2", 0), ("paper0", 1)]
    assert not [words for words in plan.warnings if "group of the canary" in words]


def test_another_canary_is_another_plan(paper: Paper, group: HostGroup) -> None:
    first = paper.plan().hash
    paper.hosts[2].groups.remove(group)
    second = paper.plan().hash
    paper.way(canary_group=None)
    assert len({first, second, paper.plan().hash}) == 3


def test_without_a_host_of_the_group_the_first_by_name_goes_first_and_the_plan_says_so(
    paper: Paper, group: HostGroup
) -> None:
    for host in paper.hosts:
        host.groups.clear()
    plan = paper.plan()
    assert batches(plan) == [("paper0", 0), ("paper1", 1), ("paper2", 1)]
    assert any("the first by name goes first" in words for words in plan.warnings)


def test_a_group_that_is_a_canary_is_not_deleted(
    paper: Paper, group: HostGroup
) -> None:
    with pytest.raises(Conflict, match="paper / main still need it"):
        services.delete(actor=paper.user, instance=group)
    assert HostGroup.objects.filter(pk=group.pk).exists()


def test_a_group_of_everybody_is_told(paper: Paper, group: HostGroup) -> None:
    paper.hosts[0].groups.add(group)
    plan = paper.plan()
    assert {row.batch for row in plan.rows} == {0}
    assert any("none waits" in words for words in plan.warnings)


def test_the_group_is_named_to_those_only_who_may_see_it(
    paper: Paper, group: HostGroup
) -> None:
    told = paper.plan().as_json()
    shown = shown_plan(paper.user, told)
    assert shown is not None
    assert ("Group of the canary", "brave") in shown.ways
    assert "canary: the hosts of a group first" in dict(shown.ways)["Policy"]
    reader = make_user("reader")
    grant(reader, ["delivery.view_deploy"])
    other = shown_plan(reader, told)
    assert other is not None
    assert "brave" not in str(other.ways)
