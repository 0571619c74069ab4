"""Plans: what they bind, what they warn of, in which batches hosts come, and what keeps a deploy from being asked for."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from adminset.errors import Conflict, DomainError, NotFound
from appconf.models import EnvironmentHost, Variable
from cmdb.models import Tag
from delivery.engine.requesting import request_deploy
from delivery.models import Deploy, LiveRelease, Pipeline, PipelineTemplate
from delivery.planning.planning import make_plan
from delivery.stages import check_paths, check_stages
from tests.app_factories import make_dependency, make_environment, make_project
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_host

pytestmark = pytest.mark.django_db


def batches(plan: object) -> list[tuple[str, int]]:
    return [(row.host, row.batch) for row in plan.rows]  # type: ignore[attr-defined]


def test_the_same_wish_has_the_same_hash_and_any_change_another(paper: Paper) -> None:
    first = paper.plan()
    assert paper.plan().hash == first.hash
    seen = {first.hash}
    changes = [
        lambda: paper.way(restart="systemctl restart shop"),
        lambda: paper.way(keep=7),
        lambda: paper.environment.hosts.remove(paper.hosts[0]),
        lambda: Variable.objects.create(
            level="environment", environment=paper.environment, name="A", value="1"
        ),
        lambda: Variable.objects.update(value="2"),
        lambda: paper.artefact(2),
    ]
    for change in changes:
        change()
        seen.add(paper.plan().hash)
    assert len(seen) == len(changes) + 1
    # What is live is told, and binds nobody: it changes by itself.
    LiveRelease.objects.create(
        environment=paper.environment, host=paper.hosts[1], said="1-aaaaaaaa"
    )
    assert paper.plan().hash in seen


def test_a_plan_keeps_no_value_of_a_variable_and_changes_with_it(
    paper: Paper,
) -> None:
    row = Variable.objects.create(
        level="environment",
        environment=paper.environment,
        name="KEY",
        secret="hunter2-hunter2",
        is_secret=True,
    )
    plan = paper.plan()
    told = json.dumps([plan.as_json(), plan.binding])
    assert "hunter2" not in told
    assert "KEY" in told
    row.secret = "hunter3-hunter3"
    row.save()
    assert paper.plan().hash != plan.hash


def test_policies_put_hosts_into_batches_critical_ones_last(paper: Paper) -> None:
    paper.hosts[0].tags.add(Tag.objects.create(name="critical"))
    assert batches(paper.plan()) == [("paper1", 0), ("paper2", 0), ("paper0", 0)]
    paper.way(policy="one_by_one")
    assert [number for _host, number in batches(paper.plan())] == [0, 1, 2]
    paper.way(policy="canary", canary_hosts=1, batches="")
    assert batches(paper.plan()) == [("paper1", 0), ("paper2", 1), ("paper0", 1)]
    paper.way(policy="batches", batches="2 1")
    plan = paper.plan()
    assert [number for _host, number in batches(plan)] == [0, 0, 1]
    assert plan.rows[2].critical == "tag critical"
    assert any("Critical hosts: paper0" in words for words in plan.blast)


def test_a_plan_says_who_depends_on_it_and_where_nothing_is_live(paper: Paper) -> None:
    other = make_project("cart")
    make_dependency(other, paper.pipeline.project)
    plan = paper.plan()
    assert "These applications need it: cart." in plan.blast
    assert "3 hosts of 3 in paper / live (production)." in plan.blast
    assert any("nothing to go back to" in words for words in plan.warnings)
    assert plan.problems == ()


def test_hosts_are_those_of_the_environment_and_nobody_elses(paper: Paper) -> None:
    assert len(paper.plan(host_ids=[paper.hosts[1].pk]).rows) == 1
    with pytest.raises(DomainError, match="belong to the environment"):
        paper.plan(host_ids=[make_host("stranger").pk])
    EnvironmentHost.objects.all().delete()
    plan = paper.plan()
    assert plan.problems == ("The environment has no host that is delivered to.",)
    with pytest.raises(DomainError, match="no host"):
        paper.ask()
    assert not Deploy.objects.exists()


def test_an_artefact_of_another_project_is_not_there(paper: Paper) -> None:
    paper.artefact()
    other = Pipeline.objects.create(project=make_project("cart"), name="main")
    environment = make_environment(other.project, "live", by=paper.user)
    about = {"actor": paper.user, "environment": environment}
    with pytest.raises(NotFound):
        make_plan(**about, pipeline=other, ref_kind="artefact", ref="1")
    with pytest.raises(DomainError, match="two projects"):
        make_plan(**about, pipeline=paper.pipeline, ref_kind="artefact", ref="1")


def test_an_artefact_goes_through_the_environments_in_order(paper: Paper) -> None:
    artefact = paper.artefact()
    paper.way(in_order=True)
    paper.environment.position = 2
    paper.environment.save()
    test = make_environment(
        paper.pipeline.project, "test", hosts=paper.hosts, by=paper.user, position=1
    )
    assert "did not run well in test" in paper.plan().problems[0]
    Deploy.objects.create(
        pipeline=paper.pipeline, environment=test, artefact=artefact, status="ok"
    )
    plan = paper.plan(kind="promote")
    assert plan.problems == ()
    deploy = request_deploy(
        actor=paper.user,
        artefact=artefact,
        pipeline=paper.pipeline,
        environment=paper.environment,
        plan_hash=plan.hash,
        kind="promote",
    )
    assert (deploy.kind, deploy.artefact) == ("promote", artefact)


def test_a_pipeline_that_is_not_in_use_delivers_nothing(paper: Paper) -> None:
    paper.way(is_active=False)
    with pytest.raises(Conflict, match="not in use"):
        paper.plan()


def test_the_templates_way_counts_and_is_frozen_into_the_deploy(paper: Paper) -> None:
    template = PipelineTemplate.objects.create(
        name="web", restart="one", policy="direct"
    )
    paper.way(template=template, restart="own")
    deploy = paper.ask()
    template.restart = "two"
    template.save()
    deploy.refresh_from_db()
    assert deploy.way["restart"] == "one"
    assert [one["command"] for one in deploy.plan["commands"]] == ["one"]


def test_a_plan_warns_where_nobody_restarts_and_nobody_asks(paper: Paper) -> None:
    words = "Nothing restarts the application and nothing asks whether it is well."
    assert words in paper.plan().warnings
    assert paper.plan().problems == ()
    paper.way(restart="systemctl restart shop")
    assert words not in paper.plan().warnings
    paper.way(restart=" ", health_kind="tcp", health_target="127.0.0.1:80")
    assert words not in paper.plan().warnings


@pytest.mark.parametrize(
    "stages",
    [
        [],
        [{"kind": "activate"}],
        [{"kind": "activate"}, {"kind": "distribute"}],
        [{"kind": "distribute"}, {"kind": "activate"}, {"kind": "activate"}],
        [
            {"kind": "distribute"},
            {"kind": "build", "command": "x"},
            {"kind": "activate"},
        ],
        [{"kind": "sh"}, {"kind": "distribute"}, {"kind": "activate"}],
        [{"kind": "build"}, {"kind": "distribute"}, {"kind": "activate"}],
        [{"kind": "distribute", "host": 3}, {"kind": "activate"}],
        [{"kind": "distribute", "on": "first"}, {"kind": "activate"}],
        [
            {"kind": "distribute"},
            {"kind": "command", "command": "x", "on": ["first"]},
            {"kind": "activate"},
        ],
        [{"kind": "distribute", "timeout": True}, {"kind": "activate"}],
        [{"kind": "distribute", "title": "a\0b"}, {"kind": "activate"}],
        "distribute",
    ],
)
def test_stages_that_make_no_way_are_refused(stages: object) -> None:
    with pytest.raises(ValidationError):
        check_stages(stages)


def test_paths_stay_within_a_release() -> None:
    check_paths("uploads/\nconfig/settings.yml\n\n")
    for path in ("/etc/passwd", "../x", "a/../b", "-rf", "a//b", "a\tb"):
        with pytest.raises(ValidationError):
            check_paths(path)
