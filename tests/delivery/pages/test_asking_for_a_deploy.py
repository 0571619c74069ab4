"""From the form to the deploy: the plan before anything happens, the yes; no request waits for a source."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from delivery.asked.answering import answer
from delivery.models import Deploy
from tests.app_factories import make_environment
from tests.delivery.factories import make_artefact, make_deploy, make_live, make_lock
from tests.delivery.pages.asking_things import client, form_of, source
from tests.delivery.pages.conftest import Place
from tests.factories import make_host

__all__ = ["client", "source"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("source")]


def post_form(client: Client, place: Place, **fields: Any) -> Any:
    artefact = make_artefact(place.project)
    values = {
        "environment": place.environment.pk,
        "ref_kind": "artefact",
        "ref": artefact.pk,
    }
    return client.post(form_of(place), values | fields)


def planned(client: Client, place: Place) -> tuple[str, str]:
    """Ask for a plan and let a worker make it: (address, page)."""
    answer_ = post_form(client, place)
    assert answer_.status_code == 302
    address = answer_["Location"]
    assert "The plan is made" in client.get(address).content.decode()
    answer(address.rstrip("/").rpartition("/")[2])
    return address, client.get(address).content.decode()


def test_the_plan_is_shown_before_anything_happens(client: Client, here: Place) -> None:
    here.pipeline.restart = "systemctl reload shop"
    here.pipeline.save()
    make_live(here.environment, here.host, "7-aaaaaaaa")
    _address, text = planned(client, here)
    for words in (
        "shop-host",
        "7-aaaaaaaa",
        "systemctl reload shop",
        "Deploy to 1 host",
    ):
        assert words in text, words
    assert not Deploy.objects.exists()


def test_a_yes_makes_the_deploy_of_that_very_plan(
    client: Client, here: Place, deployer: User
) -> None:
    address, _text = planned(client, here)
    assert client.post(address, {"reason": ""}).status_code == 422
    begun = client.post(address, {"reason": "spring offer", "wait": "on"})
    there = begun["Location"]
    assert not Deploy.objects.exists()
    assert "The plan is made once more" in client.get(there).content.decode()
    answer(there.rstrip("/").rpartition("/")[2])
    deploy = Deploy.objects.get()
    assert client.get(there)["Location"] == deploy.get_absolute_url()
    part = client.get(there, headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == deploy.get_absolute_url()
    assert (deploy.reason, deploy.requested_by) == ("spring offer", deployer)


def test_the_same_files_for_another_environment_are_a_promotion(
    client: Client, here: Place
) -> None:
    staging = make_environment(here.project, "staging", hosts=[make_host()])
    artefact = make_artefact(here.project)
    make_deploy(staging, pipeline=here.pipeline, artefact=artefact, status="ok")
    there = client.get(reverse("delivery:artefact_deploy", args=[artefact.pk]))
    assert there["Location"].endswith(f"?ref_kind=artefact&ref={artefact.pk}")
    address = post_form(client, here, ref=artefact.pk)["Location"]
    answer(address.rstrip("/").rpartition("/")[2])
    begun = client.post(address, {"reason": "it ran well"})["Location"]
    answer(begun.rstrip("/").rpartition("/")[2])
    deploy = Deploy.objects.get(environment=here.environment)
    assert (deploy.kind, deploy.artefact) == ("promote", artefact)


def test_a_plan_that_changed_is_looked_at_again(client: Client, here: Place) -> None:
    address, _text = planned(client, here)
    begun = client.post(address, {"reason": "spring offer"})["Location"]
    here.environment.hosts.add(make_host())
    answer(begun.rstrip("/").rpartition("/")[2])
    text = client.get(begun).content.decode()
    assert "not the one that you saw" in text
    assert "Make a new plan" in text
    assert not Deploy.objects.exists()


def test_who_holds_the_environment_is_said_where_one_does_not_want_to_wait(
    client: Client, here: Place, admin: User
) -> None:
    make_lock(here.environment, admin, "repairs until noon")
    address, text = planned(client, here)
    assert "repairs until noon" in text
    begun = client.post(address, {"reason": "spring offer"})["Location"]
    answer(begun.rstrip("/").rpartition("/")[2])
    text = client.get(begun).content.decode()
    assert "repairs until noon" in text
    assert not Deploy.objects.exists()


def test_a_plan_that_cannot_be_done_has_no_yes(client: Client, here: Place) -> None:
    here.environment.hosts.clear()
    _address, text = planned(client, here)
    assert "has no host" in text
    assert "Deploy to" not in text


def test_a_forgotten_plan_leads_back_to_the_form(client: Client, here: Place) -> None:
    address = reverse("delivery:pipeline_plan", args=[here.pipeline.pk, "gone"])
    assert client.get(address)["Location"] == form_of(here)


@pytest.mark.parametrize(
    "fields",
    [
        {"environment": ""},
        {"ref": ""},
        {"ref": "9999"},
        {"ref": "-1"},
        {"ref_kind": "ext::sh"},
        {"hosts": ["9999"]},
        {"environment": "9" * 30},
    ],
)
def test_senseless_input_is_refused_with_words(
    client: Client, here: Place, sent: list[Any], fields: dict[str, Any]
) -> None:
    answer_ = post_form(client, here, **fields)
    assert answer_.status_code == 422
    assert sent == []


def test_an_environment_of_another_project_is_no_choice(
    client: Client, here: Place, elsewhere: Place
) -> None:
    answer_ = post_form(client, here, environment=elsewhere.environment.pk)
    assert answer_.status_code == 422
