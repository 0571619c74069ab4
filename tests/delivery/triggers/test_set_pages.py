"""Pages and REST of sets, and what tokens with limits may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from delivery.models import (
    ReleaseSet,
    SetRun,
)
from delivery.releasesets.advance import advance
from delivery.triggers.making import make
from tests.app_factories import grant_on, make_environment
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import (
    make_githook,
)
from tests.factories import make_user
from tests.tasks.run_api.api_things import token_of

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, paper: Paper) -> Client:
    return client_of(paper.user)


def where(paper: Paper) -> dict[str, Any]:
    return {"pipeline": paper.pipeline.pk, "environment": paper.environment.pk}


def test_a_token_with_limits_makes_and_changes_no_trigger(paper: Paper) -> None:
    hook = make_githook(paper)
    limited = token_of(
        paper.user, permissions=["delivery.change_githook", "delivery.view_githook"]
    )
    client = Client(headers={"Authorization": f"Bearer {limited}"})
    told = client.patch(
        f"/api/v1/git-hooks/{hook.pk}/",
        {"branches": ["x"]},
        content_type="application/json",
    )
    assert told.status_code in (403, 422)
    hook.refresh_from_db()
    assert hook.branches == ["main"]
    whole = Client(headers={"Authorization": f"Bearer {token_of(paper.user)}"})
    told = whole.patch(
        f"/api/v1/git-hooks/{hook.pk}/",
        {"branches": ["x"]},
        content_type="application/json",
    )
    assert (told.status_code, told.json()["branches"]) == (200, ["x"])
    assert "secret" not in told.json()
    assert hook.key not in told.content.decode()


def test_a_set_goes_from_its_page_to_its_end(client: Client, paper: Paper) -> None:
    rows = {
        "items-0-pipeline": paper.pipeline.pk,
        "items-0-environment": paper.environment.pk,
    }
    form = {"name": "spring", **rows, "items-0-kind": "branch", "items-0-ref": "main"}
    saved = client.post("/delivery/release-sets/add/", form)
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    made = ReleaseSet.objects.get()
    address = f"/delivery/release-sets/{made.pk}/"
    assert made.places.get().ref == "main"
    assert "branch main" in client.get(address).content.decode()
    assert 'value="main"' in client.get(f"{address}edit/").content.decode()
    assert client.get(f"{address}start/").status_code == 200
    assert client.post(f"{address}start/", {}).status_code == 422
    begun = client.post(f"{address}start/", {"reason": "spring is here"})
    run = SetRun.objects.get()
    assert begun["Location"] == run.get_absolute_url()
    advance(run.pk)
    make(run.parts.get().request_id)
    page = client.get(run.get_absolute_url()).content.decode()
    assert "spring is here" in page
    assert "hx-get" in page
    assert client.get(f"{run.get_absolute_url()}panel/").status_code == 200
    assert client.get(f"{run.get_absolute_url()}cancel/").status_code == 200
    client.post(f"{run.get_absolute_url()}cancel/", {"reason": "no"})
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert run.name in client.get(f"{address}?tab=runs").content.decode()


def test_a_set_is_made_and_let_go_by_a_program(paper: Paper) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_of(paper.user)}"})
    place = where(paper) | {"kind": "tag", "ref": "v1"}
    told = client.post(
        "/api/v1/release-sets/",
        {"name": "s", "items": [place]},
        content_type="application/json",
    )
    assert (told.status_code, told.json()["items"]) == (201, [place]), told.content
    key = told.json()["id"]
    renamed = client.patch(
        f"/api/v1/release-sets/{key}/", {"name": "t"}, content_type="application/json"
    )
    assert renamed.json()["items"] == [place], renamed.content
    for bad in (
        {"pipeline": 0},
        {"ref": "-x"},
        {"kind": "x"},
        {"what": 1},
        {"environment": True},
    ):
        told = client.post(
            "/api/v1/release-sets/",
            {"name": "u", "items": [place | bad]},
            content_type="application/json",
        )
        assert told.status_code == 422, bad
    begun = client.post(
        f"/api/v1/release-sets/{key}/start/",
        {"reason": "r"},
        content_type="application/json",
    )
    assert begun.status_code == 201, begun.content
    path = f"/api/v1/release-sets/runs/{begun.json()['id']}/"
    assert [one["state"] for one in client.get(path).json()["parts"]] == ["waiting"]
    assert (
        client.post(f"{path}cancel/", {}, content_type="application/json").status_code
        == 200
    )


def test_a_set_with_a_place_that_somebody_does_not_see_is_not_shown(
    client_of: Signed, paper: Paper
) -> None:
    somebody = make_user("somebody")
    grant_on(
        somebody,
        ["delivery.view_releaseset", "delivery.view_setrun"],
        make_environment().project,
    )
    made = ReleaseSet.objects.create(name="hidden")
    made.places.create(
        position=1, pipeline=paper.pipeline, environment=paper.environment
    )
    assert (
        client_of(somebody).get(f"/delivery/release-sets/{made.pk}/").status_code == 404
    )
