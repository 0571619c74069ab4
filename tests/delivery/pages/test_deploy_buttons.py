"""The button Deploy on the pages of applications and environments: for whom it stands there, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.app_factories import grant_on, make_environment
from tests.delivery.factories import make_pipeline
from tests.delivery.pages.conftest import DELIVERS, Place
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, deployer: User) -> Client:
    return client_of(deployer)


def ways(place: Place) -> list[tuple[Any, str]]:
    """Give (object, address of its button) of a place."""
    return [
        (place.project, reverse("delivery:project_deploy", args=[place.project.pk])),
        (
            place.environment,
            reverse("delivery:environment_deploy", args=[place.environment.pk]),
        ),
    ]


def page_of(client: Client, target: Any) -> str:
    return client.get(target.get_absolute_url()).content.decode()


def test_with_one_pipeline_the_button_leads_to_its_form(
    client: Client, here: Place
) -> None:
    form = reverse("delivery:pipeline_deploy", args=[here.pipeline.pk])
    leads = [form, f"{form}?environment={here.environment.pk}"]
    for (target, address), to in zip(ways(here), leads, strict=True):
        assert f'href="{address}"' in page_of(client, target)
        assert client.get(address)["Location"] == to


def test_with_several_pipelines_one_is_chosen(client: Client, here: Place) -> None:
    second = make_pipeline(here.project, name="by hand")
    make_pipeline(here.project, name="retired", is_active=False)
    for _target, address in ways(here):
        text = client.get(address).content.decode()
        for one in (here.pipeline, second):
            assert reverse("delivery:pipeline_deploy", args=[one.pk]) in text
        assert "retired" not in text


def test_a_pipeline_that_does_not_go_to_an_environment_is_not_offered_there(
    client: Client, here: Place
) -> None:
    staging = make_environment(here.project, "staging")
    here.pipeline.environments.set([staging])
    address = reverse("delivery:environment_deploy", args=[here.environment.pk])
    assert address not in page_of(client, here.environment)
    assert "No pipeline to deploy with" in client.get(address).content.decode()
    assert client.get(ways(here)[0][1]).status_code == 302


def test_without_a_pipeline_in_use_there_is_no_button(
    client: Client, here: Place
) -> None:
    here.pipeline.is_active = False
    here.pipeline.save()
    for target, address in ways(here):
        assert address not in page_of(client, target)
        assert "No pipeline to deploy with" in client.get(address).content.decode()


@pytest.mark.parametrize(
    "missing", ["delivery.add_deploy", "appconf.deploy_environment"]
)
def test_who_may_not_deploy_has_no_button(
    client_of: Signed, here: Place, missing: str
) -> None:
    user = make_user()
    grant_on(user, set(DELIVERS) - {missing}, here.project.product_line)
    client = client_of(user)
    for target, address in ways(here):
        assert address not in page_of(client, target)
    assert client.get(ways(here)[1][1]).status_code == 403


def test_of_what_one_may_not_see_nothing_is_told(
    client: Client, elsewhere: Place
) -> None:
    for _target, address in ways(elsewhere):
        assert client.get(address).status_code == 404
