"""The checks before a deploy, asked for while one reads the plan: a leg that changes nothing, and what it found in words."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from appconf.models import EnvironmentHost
from delivery.asked import keeping
from delivery.asked.answering import answer
from delivery.engine.judging import judge
from delivery.models import Deploy
from tasks.models import Run
from tests.delivery.factories import make_artefact
from tests.delivery.pages.asking_things import client, form_of, source
from tests.delivery.pages.conftest import Place
from tests.factories import make_host

__all__ = ["client", "source"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("source")]


@pytest.fixture
def plan(client: Client, here: Place, deployer: User) -> str:
    """The key of a plan of the deployer's for two hosts, one of which is hidden from him."""
    hidden = make_host("hidden-host", host_key="x", address="192.0.2.9")
    EnvironmentHost.objects.create(environment=here.environment, host=hidden)
    artefact = make_artefact(here.project)
    values = {
        "environment": here.environment.pk,
        "ref_kind": "artefact",
        "ref": artefact.pk,
    }
    address = client.post(form_of(here), values)["Location"]
    key = str(address.rstrip("/").rpartition("/")[2])
    answer(key)
    return key


def at(place: Place, key: str) -> str:
    return reverse("delivery:pipeline_checks", args=[place.pipeline.pk, key])


def test_nothing_is_asked_before_somebody_wants_it(
    client: Client, here: Place, plan: str
) -> None:
    assert "Check the hosts now" in client.get(at(here, plan)).content.decode()
    assert not Run.objects.exists()


def test_the_hosts_are_asked_by_a_leg_and_what_they_said_is_shown(
    client: Client, here: Place, plan: str
) -> None:
    text = client.post(at(here, plan)).content.decode()
    assert "the hosts are asked" in text
    run = Run.objects.get()
    assert (run.kind, run.purpose) == ("deploy", "delivery.check")
    assert run.subject == f"delivery.check:{here.environment.pk}"
    assert not Deploy.objects.exists()
    said = {"check_path": "fail /srv/shop is a file", "check_write": "ok yes"}
    run.hosts.update(report={"said": said}, status="ok", ended_at=timezone.now())
    Run.objects.update(status="ok", ended_at=timezone.now())
    text = client.get(at(here, plan)).content.decode()
    assert "0 of 1 host is ready" in text
    assert "Seen: /srv/shop is a file." in text
    assert "Choose a folder of its own" in text
    assert "Check again" in text
    assert "hidden-host" not in text


def test_the_judge_lets_such_a_leg_reach_hosts_that_somebody_vouches_for(
    client: Client, here: Place, plan: str
) -> None:
    client.post(at(here, plan))
    run = Run.objects.get()
    other = make_host()
    assert judge(run, [here.host, other]) == {here.host.pk}


def test_nobody_checks_by_the_plan_of_somebody_else(
    client: Client, here: Place, plan: str, admin: User
) -> None:
    foreign = keeping.new(admin, "plan", {"pipeline": here.pipeline.pk}, "en")
    text = client.post(at(here, foreign.key)).content.decode()
    assert "forgotten" in text
    assert not Run.objects.exists()
