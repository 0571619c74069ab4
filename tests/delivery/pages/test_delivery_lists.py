"""The lists of delivery: open empty and full, tell the last deploy, cost the same for few rows and for many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.app_factories import make_environment, make_project
from tests.delivery.factories import (
    make_artefact,
    make_deploy,
    make_live,
    make_lock,
    make_pipeline,
    make_pipeline_template,
    make_step,
)
from tests.factories import make_host

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
LISTS = (
    "pipeline_list",
    "pipelinetemplate_list",
    "deploy_list",
    "artefact_list",
    "live",
    "deploylock_list",
    "dora",
)


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    """Open a page of the room and give its text."""
    answer = client.get(reverse(f"delivery:{name}", args=args), query)
    assert answer.status_code == 200, (name, answer.status_code)
    return str(answer.content.decode())


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_says_what_to_do(
    client_of: Signed, admin: User, name: str
) -> None:
    assert 'class="empty"' in page(client_of(admin), name)


def test_the_list_of_pipelines_has_the_seeds_columns_and_the_last_deploy(
    client_of: Signed, admin: User
) -> None:
    pipeline = make_pipeline(name="web", policy="canary")
    environment = make_environment(pipeline.project, "production", hosts=[make_host()])
    make_deploy(environment, pipeline=pipeline, status="ok")
    last = make_deploy(environment, pipeline=pipeline, status="running")
    make_step(last, "check", "ok")
    make_step(last, "distribute", "running", done=50, total=100)
    make_step(last, "activate")
    text = page(client_of(admin), "pipeline_list")
    for word in ("running", "50 %", "canary: some hosts first, watched", "production"):
        assert word in text, word
    for verb in ("deploy", "log", "edit", "delete"):
        assert reverse(f"delivery:pipeline_{verb}", args=[pipeline.pk]) in text


def test_lists_cost_the_same_for_few_rows_and_for_many(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)

    def fill(count: int) -> None:
        for _number in range(count):
            host = make_host()
            environment = make_environment(make_project(), hosts=[host])
            pipeline = make_pipeline(environment.project)
            artefact = make_artefact(environment.project)
            deploy = make_deploy(environment, pipeline=pipeline, artefact=artefact)
            make_step(deploy, "check", "ok")
            make_live(environment, host, artefact.release, artefact=artefact)
            make_lock(environment, admin)
            make_pipeline_template()

    def cost(name: str) -> int:
        page(client, name)
        with CaptureQueriesContext(connection) as told:
            page(client, name)
        return len(told)

    fill(2)
    few = {name: cost(name) for name in LISTS}
    fill(10)
    many = {name: cost(name) for name in LISTS}
    assert many == few


def test_the_history_is_narrowed_and_exported_as_lists_are(
    client_of: Signed, admin: User
) -> None:
    good = make_deploy(status="ok", reason="the spring offer")
    make_deploy(status="failed", reason="a typo")
    client = client_of(admin)
    text = page(client, "deploy_list", status="ok")
    assert "the spring offer" in text
    assert "a typo" not in text
    answer = client.get(
        reverse("delivery:deploy_list"), {"export": "csv", "status": "ok"}
    )
    told = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    assert "the spring offer" in told
    assert "a typo" not in told
    assert str(good.environment.name) in told


def test_the_log_of_a_pipeline_is_its_last_deploy(
    client_of: Signed, admin: User
) -> None:
    deploy = make_deploy()
    client = client_of(admin)
    address = reverse("delivery:pipeline_log", args=[deploy.pipeline_id])
    assert client.get(address)["Location"] == deploy.get_absolute_url()
    fresh = make_pipeline()
    there = client.get(reverse("delivery:pipeline_log", args=[fresh.pk]))
    assert f"pipeline={fresh.pk}" in there["Location"]


def test_the_card_of_the_home_page_tells_the_latest_deploys(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    assert "Nothing was delivered yet" in page(client, "card")
    deploy = make_deploy(status="ok")
    assert deploy.get_absolute_url() in page(client, "card")
