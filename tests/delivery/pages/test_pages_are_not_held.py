"""No request to a page is held by a deploy: pages take no row, ask no source and no host, and begin no work of their own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from delivery.models import Deploy, DeployLock
from delivery.sources import opening
from tasks.services import execute
from tasks.ssh import connect
from tests.delivery.factories import (
    make_artefact,
    make_deploy,
    make_live,
    make_step,
)
from tests.delivery.pages.conftest import Place, make_place

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


class HeldError(AssertionError):
    """A request did what only workers do."""


@pytest.fixture
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No source, no host and no program: whoever asks one would wait."""

    def refuse(*_args: Any, **_named: Any) -> Any:
        raise HeldError

    monkeypatch.setattr(opening, "source_of", refuse)
    monkeypatch.setattr("delivery.planning.wanted.source_of", refuse)
    monkeypatch.setattr("delivery.asked.answerers.source_of", refuse)
    monkeypatch.setattr(execute, "execute_part", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(connect, "connect", refuse)


@pytest.fixture
def _no_row_is_taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker that has a deploy in hand has its row: a page that wants it would wait."""

    def refuse(*_args: Any, **_named: Any) -> Any:
        raise HeldError

    with monkeypatch.context() as patched:
        patched.setattr(QuerySet, "select_for_update", refuse)
        yield


def going(place: Place, user: User) -> Deploy:
    """A deploy in the middle of its way, with the lock of its environment."""
    artefact = make_artefact(place.project)
    deploy = make_deploy(
        place.environment, artefact=artefact, status="running", by=user
    )
    make_step(deploy, "check", "ok")
    make_step(deploy, "distribute", "running", done=25, total=100)
    make_step(deploy, "activate", batch=0)
    DeployLock.objects.create(
        environment=place.environment,
        deploy=deploy,
        owner=user,
        owner_name=user.username,
        reason="deploy",
    )
    return deploy


def pages_of(deploy: Deploy) -> list[str]:
    """The pages that somebody looks at while a deploy goes on."""
    of_deploy = ("detail", "panel", "decide", "cancel")
    of_pipeline = ("detail", "deploy", "upload")
    of_environment = ("live", "rollback", "lock")
    return [
        *(reverse(f"delivery:{name}_list") for name in ("deploy", "pipeline")),
        *(reverse(f"delivery:{name}") for name in ("live", "dora", "card")),
        *(reverse(f"delivery:deploy_{one}", args=[deploy.pk]) for one in of_deploy),
        *(
            reverse(f"delivery:pipeline_{one}", args=[deploy.pipeline_id])
            for one in of_pipeline
        ),
        *(
            reverse(f"delivery:environment_{one}", args=[deploy.environment_id])
            for one in of_environment
        ),
        f"/api/v1/deploys/{deploy.pk}/status/",
        f"/api/v1/environments/{deploy.environment_id}/live/",
    ]


@pytest.mark.usefixtures("_nobody_answers", "_no_row_is_taken")
def test_pages_are_read_while_workers_have_the_deploys_in_hand(
    client_of: Signed, admin: User, here: Place
) -> None:
    deploy, client = going(here, admin), client_of(admin)
    make_live(here.environment, here.host, deploy.release, deploy=deploy)
    for url in pages_of(deploy):
        assert client.get(url).status_code == 200, url
    refreshed = client.get(deploy.get_absolute_url(), headers={"HX-Request": "true"})
    assert refreshed.status_code == 200


@pytest.mark.usefixtures("_nobody_answers")
@pytest.mark.parametrize("verb", ["pause", "cancel", "retry", "resume"])
def test_buttons_only_write_down_what_workers_do(
    client_of: Signed, admin: User, here: Place, verb: str
) -> None:
    deploy = going(here, admin)
    if verb == "resume":
        Deploy.objects.filter(pk=deploy.pk).update(status="paused")
        deploy.steps.filter(kind="distribute").update(status="ok")
    if verb == "retry":
        Deploy.objects.filter(pk=deploy.pk).update(status="failed")
        deploy.hosts.update(status="failed")
    url = reverse(f"delivery:deploy_{verb}", args=[deploy.pk])
    assert client_of(admin).post(url, {"reason": "r"}).status_code == 302


def test_the_pages_cost_the_same_beside_five_deploys_as_beside_one(
    client_of: Signed, admin: User, here: Place
) -> None:
    deploy, client = going(here, admin), client_of(admin)
    urls = [reverse("delivery:deploy_list"), deploy.get_absolute_url()]

    def queries() -> list[int]:
        found = []
        for url in urls:
            with CaptureQueriesContext(connection) as seen:
                assert client.get(url).status_code == 200
            found.append(len(seen))
        return found

    for url in urls:
        client.get(url)
    alone = queries()
    for name in ("bank", "mail", "news", "wiki"):
        going(make_place(name), admin)
    assert queries() == alone
