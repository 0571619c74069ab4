"""What ran well in one environment is offered for the next one, by a button that leads to the form with all of it filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from appconf.models import Environment
from delivery.models import Artefact, Deploy
from tests.app_factories import grant_on, make_environment
from tests.delivery.factories import make_artefact, make_deploy, make_live
from tests.delivery.pages.conftest import DELIVERS, Place
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, deployer: User) -> Client:
    return client_of(deployer)


@pytest.fixture
def first(here: Place) -> Environment:
    """The environment before, with two more behind it: test, staging, production."""
    made = make_environment(here.project, "test", hosts=[make_host()], position=1)
    make_environment(here.project, "staging", hosts=[make_host()], position=2)
    Environment.objects.filter(pk=here.environment.pk).update(position=3)
    return made


@pytest.fixture
def ran(here: Place, first: Environment) -> Deploy:
    """A deploy that ended well in the first one, and what it brought is live there."""
    artefact = make_artefact(here.project)
    make_live(first, first.hosts.get(), artefact.release, artefact=artefact)
    return make_deploy(first, pipeline=here.pipeline, artefact=artefact, status="ok")


def artefact_of(deploy: Deploy) -> Artefact:
    assert deploy.artefact is not None
    return deploy.artefact


def make_everywhere(deploy: Deploy, *names: str) -> None:
    for environment in Environment.objects.filter(name__in=names):
        artefact = artefact_of(deploy)
        host = environment.hosts.get()
        make_live(environment, host, artefact.release, artefact=artefact)


def text_of(client: Client, row: Any) -> str:
    return client.get(row.get_absolute_url()).content.decode()


def test_the_page_of_a_deploy_leads_to_the_form_for_the_next_environment(
    client: Client, here: Place, ran: Deploy
) -> None:
    text = text_of(client, ran)
    assert "Promote to staging" in text
    staging = Environment.objects.get(name="staging")
    form = reverse("delivery:pipeline_deploy", args=[here.pipeline.pk])
    asked = f"environment={staging.pk}&ref_kind=artefact&ref={ran.artefact_id}"
    assert f"{form}?{asked}".replace("&", "&amp;") in text
    page = client.get(f"{form}?{asked}").content.decode()
    assert f'value="{staging.pk}" selected' in page
    assert f'value="{ran.artefact_id}"' in page
    assert Deploy.objects.count() == 1


def test_the_page_of_an_artefact_leads_there_too(client: Client, ran: Deploy) -> None:
    artefact = artefact_of(ran)
    assert "Promote to staging" in text_of(client, artefact)
    there = client.get(reverse("delivery:artefact_promote", args=[artefact.pk]))
    staging = Environment.objects.get(name="staging")
    wanted = f"?environment={staging.pk}&ref_kind=artefact&ref={artefact.pk}"
    assert there["Location"].endswith(wanted)


def test_environments_where_it_is_live_are_passed_over(
    client: Client, ran: Deploy
) -> None:
    make_everywhere(ran, "staging")
    for row in (ran, artefact_of(ran)):
        assert "Promote to production" in text_of(client, row)
    make_everywhere(ran, "production")
    for row in (ran, artefact_of(ran)):
        assert "Promote to" not in text_of(client, row)
    address = reverse("delivery:artefact_promote", args=[ran.artefact_id])
    assert client.get(address)["Location"] == artefact_of(ran).get_absolute_url()


def test_one_that_is_live_on_a_part_of_the_hosts_only_is_offered(
    client: Client, here: Place, ran: Deploy
) -> None:
    make_everywhere(ran, "staging")
    staging = Environment.objects.get(name="staging")
    make_live(staging, make_host(), "0-aaaaaaaa")
    assert "Promote to staging" in text_of(client, ran)


@pytest.mark.parametrize("fields", [{"status": "failed"}, {"kind": "rollback"}])
def test_a_deploy_that_did_not_bring_it_well_offers_nothing(
    client: Client, ran: Deploy, fields: dict[str, str]
) -> None:
    Deploy.objects.filter(pk=ran.pk).update(**fields)
    assert "Promote to" not in text_of(client, ran)


@pytest.mark.parametrize("what", ["bad", "cleared", "pipeline"])
def test_what_cannot_be_delivered_is_not_offered(
    client: Client, here: Place, ran: Deploy, what: str
) -> None:
    rows = Artefact.objects.filter(pk=artefact_of(ran).pk)
    if what == "bad":
        rows.update(bad=True)
    elif what == "cleared":
        rows.update(cleared_at=ran.created_at)
    else:
        type(here.pipeline).objects.update(is_active=False)
    ran = Deploy.objects.get()
    for row in (ran, artefact_of(ran)):
        assert "Promote to" not in text_of(client, row)


def test_only_what_the_reader_may_deploy_to_is_offered(
    client_of: Signed, here: Place, ran: Deploy
) -> None:
    reader = make_user("reader")
    grant_on(reader, set(DELIVERS) - {"delivery.add_deploy"}, here.project)
    looks = make_user("looks")
    grant_on(looks, set(DELIVERS) - {"appconf.deploy_environment"}, here.project)
    address = reverse("delivery:artefact_promote", args=[ran.artefact_id])
    for user, status in ((reader, 403), (looks, 302)):
        client = client_of(user)
        for row in (ran, artefact_of(ran)):
            assert "Promote to" not in text_of(client, row)
        answer = client.get(address)
        assert answer.status_code == status
        assert "pipeline" not in answer.get("Location", "")


def test_an_artefact_of_others_is_not_there(client: Client, elsewhere: Place) -> None:
    artefact = make_artefact(elsewhere.project)
    address = reverse("delivery:artefact_promote", args=[artefact.pk])
    assert client.get(address).status_code == 404
