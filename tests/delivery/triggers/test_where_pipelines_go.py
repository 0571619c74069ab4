"""A pipeline that names environments goes to no other, by whatever door somebody comes; and who may only set it up does not widen it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.crud.services import delete
from adminset.errors import Conflict
from adminset.models import AuditEntry
from appconf.models import Environment
from delivery.engine.advance import advance
from delivery.models import Deploy, DeployStep, Pipeline
from tests.app_factories import make_environment
from tests.delivery.factories import make_pipeline
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import Api, api, deployer
from tests.delivery.triggers.door_things import (
    NOT_OFFERED,
    OF_PEOPLE_AND_PROGRAMS,
    Act,
    Ground,
)
from tests.delivery.triggers.trigger_doors import OF_TRIGGERS

__all__ = ["api", "deployer"]
pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
DOORS = (*OF_PEOPLE_AND_PROGRAMS, *OF_TRIGGERS)


@pytest.fixture
def other_place(paper: Paper) -> Environment:
    """Another environment of the project."""
    return make_environment(
        paper.pipeline.project, "trial", hosts=paper.hosts, by=paper.user
    )


@pytest.fixture
def ground(paper: Paper, client_of: Signed, api: Api) -> Ground:
    return Ground(paper, client_of(paper.user), Api(paper.user))


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_no_door_leads_to_an_environment_that_the_pipeline_does_not_name(
    ground: Ground, other_place: Environment, door: Callable[[Ground], Act]
) -> None:
    act = door(ground)
    before = set(Deploy.objects.values_list("pk", flat=True))
    ground.paper.pipeline.environments.set([other_place])
    words = act()
    assert "does not go to" in words or NOT_OFFERED in words
    assert set(Deploy.objects.values_list("pk", flat=True)) == before
    assert not Deploy.objects.filter(status="running").exists()
    assert not DeployStep.objects.filter(status__in=["running", "ok"]).exists()


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_leads_to_an_environment_that_the_pipeline_names(
    ground: Ground, door: Callable[[Ground], Act]
) -> None:
    act = door(ground)
    ground.paper.pipeline.environments.set([ground.paper.environment])
    assert act() == ""


def test_a_waiting_deploy_whose_pipeline_was_narrowed_ends_and_says_why(
    ground: Ground, other_place: Environment
) -> None:
    deploy = ground.paper.ask(artefact=ground.artefact, reason="r")
    ground.paper.pipeline.environments.set([other_place])
    advance(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.started_at) == ("cancelled", None)
    assert "paper / main does not go to paper / live" in deploy.explanation


def test_pages_offer_only_what_a_pipeline_names(
    ground: Ground, other_place: Environment
) -> None:
    paper, client = ground.paper, ground.client
    button = f"/delivery/pipelines/{paper.pipeline.pk}/deploy/?environment="
    live = reverse("delivery:environment_live", args=[paper.environment.pk])
    form = reverse("delivery:pipeline_deploy", args=[paper.pipeline.pk])
    panel = f"{paper.pipeline.get_absolute_url()}?tab=live"
    assert button in client.get(live).content.decode()
    paper.pipeline.environments.set([other_place])
    assert button not in client.get(live).content.decode()
    shown = client.get(panel).content.decode()
    assert f"{button}{other_place.pk}" in shown
    assert f"{button}{paper.environment.pk}" not in shown
    offered = client.get(form).context["form"].fields["environment"].queryset
    assert list(offered) == [other_place]


def test_rest_takes_no_pipeline_by_itself_that_does_not_go_there(
    ground: Ground, other_place: Environment
) -> None:
    ground.paper.pipeline.environments.set([other_place])
    path = f"environments/{ground.paper.environment.pk}/rollback/"
    answer = ground.api.post(path, {"reason": "r"})
    assert answer.status_code == 409
    assert "None of its pipelines goes to paper / live." in answer.content.decode()
    goes = make_pipeline(ground.paper.pipeline.project)
    answer = ground.api.post(path, {"reason": "r"})
    assert answer.status_code == 202
    assert goes.requests.count() == 1


def test_an_environment_that_a_pipeline_names_is_not_deleted_under_it(
    paper: Paper, other_place: Environment
) -> None:
    paper.pipeline.environments.set([other_place])
    with pytest.raises(Conflict, match="environment of a pipeline"):
        delete(actor=paper.user, instance=other_place)
    assert list(paper.pipeline.environments.all()) == [other_place]


def test_only_environments_of_its_project_can_be_named(
    ground: Ground, other_place: Environment
) -> None:
    foreign = make_environment()
    path = f"/api/v1/pipelines/{ground.paper.pipeline.pk}/"

    def patch(**fields: Any) -> Any:
        return ground.api.client.patch(path, fields, content_type="application/json")

    refused = patch(environments=[foreign.pk])
    assert refused.status_code in (400, 422)
    assert "of its project" in refused.content.decode()
    told = patch(environments=[other_place.pk])
    assert told.status_code == 200
    assert told.json()["environments"] == [other_place.pk]
    assert list(ground.paper.pipeline.environments.all()) == [other_place]
    line = AuditEntry.objects.filter(verb="pipeline.update").latest("pk")
    assert [one["field"] for one in line.changes] == ["environments"]
    # Moved to another project, it would name none of its environments.
    fresh = make_pipeline(ground.paper.pipeline.project)
    fresh.environments.set([other_place])
    path = f"/api/v1/pipelines/{fresh.pk}/"
    moved = patch(project=foreign.project_id)
    assert moved.status_code in (400, 422)
    assert "of its project" in moved.content.decode()
    assert Pipeline.objects.get(pk=fresh.pk).project == ground.paper.pipeline.project
    assert patch(project=foreign.project_id, environments=[]).status_code == 200
