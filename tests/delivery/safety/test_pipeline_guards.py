"""Who sets pipelines up does not take away what holds deploys up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from accounts.shipped import ROLES
from delivery.models import Pipeline
from delivery.safety.guarding import Guards, guards_of
from tests.app_factories import grant_on, make_environment
from tests.delivery.safety.safety_things import Paper
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
SETS_UP = (
    "appconf.view_project",
    "appconf.view_environment",
    "appconf.change_environment",
    "appconf.deploy_environment",
    "cmdb.view_host",
    "delivery.view_pipeline",
    "delivery.add_pipeline",
    "delivery.change_pipeline",
    "delivery.delete_pipeline",
)


@pytest.fixture
def ann(paper: Paper) -> User:
    """Somebody who sets up the pipelines of one project."""
    paper.way(approvals_needed=2, guarded_kinds=["production"])
    paper.environment.kind = "production"
    paper.environment.save()
    user = make_user("ann")
    grant_on(user, SETS_UP, paper.pipeline.project)
    return user


def sent(paper: Paper, **fields: Any) -> dict[str, Any]:
    """Give the form of the pipeline as the page sends it."""
    row = model_to_dict(
        paper.pipeline, exclude=("stages", "approve_groups", "environments", "id")
    )
    values = {name: value for name, value in row.items() if value not in (None, False)}
    stages = {"stages-0-kind": "distribute", "stages-1-kind": "activate"}
    return values | stages | {"stages-2-kind": ""} | fields


def save(client: Client, paper: Paper, **fields: Any) -> int:
    address = reverse("delivery:pipeline_edit", args=[paper.pipeline.pk])
    answer = client.post(address, sent(paper, **fields))
    assert (
        answer.status_code == 302
        or "may not change what guards" in answer.content.decode()
    )
    return answer.status_code


@pytest.mark.parametrize(
    "change",
    [
        {"approvals_needed": 0},
        {"guarded_kinds": ["development"]},
        {"in_order": "on"},
        {"approval_minutes": 5},
    ],
)
def test_guards_take_a_permission_of_their_own(
    paper: Paper, ann: User, change: dict[str, Any], client_of: Signed
) -> None:
    before = guards_of(paper.pipeline, ())
    assert save(client_of(ann), paper, **change) == 422
    paper.pipeline.refresh_from_db()
    assert guards_of(paper.pipeline, ()) == before
    assert save(client_of(ann), paper, description="ours") == 302
    grant_on(ann, ("delivery.guard_pipeline",), paper.pipeline.project)
    assert save(client_of(ann), paper, **change) == 302


def test_roles_that_approve_are_guards_too(
    paper: Paper, ann: User, client_of: Signed
) -> None:
    role = Role.objects.create(name="release managers")
    paper.pipeline.approve_groups.add(role)
    grant(ann, ("accounts.view_role",))
    assert save(client_of(ann), paper) == 422
    assert save(client_of(ann), paper, approve_groups=[role.pk], description="x") == 302
    assert list(paper.pipeline.approve_groups.all()) == [role]


def test_where_a_pipeline_goes_is_a_guard_too(
    paper: Paper, ann: User, client_of: Signed
) -> None:
    row, client = paper.environment, client_of(ann)
    other = make_environment(paper.pipeline.project)
    paper.pipeline.environments.set([other])
    for wider in ([], [row.pk], [row.pk, other.pk]):
        assert save(client, paper, environments=wider) == 422
    assert list(paper.pipeline.environments.all()) == [other]
    assert save(client, paper, environments=[other.pk], description="x") == 302
    grant_on(ann, ("delivery.guard_pipeline",), paper.pipeline.project)
    assert save(client, paper, environments=[row.pk]) == 302
    assert list(paper.pipeline.environments.all()) == [row]


def test_no_pipeline_that_goes_further_comes_beside_one_that_names_environments(
    paper: Paper, ann: User, client_of: Signed
) -> None:
    paper.way(approvals_needed=0)
    other = make_environment(paper.pipeline.project)
    paper.pipeline.environments.set([other])
    address, client = reverse("delivery:pipeline_add"), client_of(ann)
    for wider in ([], [paper.environment.pk], [paper.environment.pk, other.pk]):
        new = sent(paper, name="direct", environments=wider)
        assert "may not weaken" in client.post(address, new).content.decode()
    assert Pipeline.objects.count() == 1
    gone = reverse("delivery:pipeline_delete", args=[paper.pipeline.pk])
    client.post(gone, {"confirm": str(paper.pipeline)})
    assert Pipeline.objects.count() == 1
    new = sent(paper, name="same", environments=[other.pk])
    assert client.post(address, new).status_code == 302


def test_no_weaker_pipeline_comes_beside_a_strong_one(
    paper: Paper, ann: User, client_of: Signed
) -> None:
    address, client = reverse("delivery:pipeline_add"), client_of(ann)
    weak = sent(paper, name="weak", approvals_needed=1)
    assert "may not weaken" in client.post(address, weak).content.decode()
    assert Pipeline.objects.count() == 1
    assert client.post(address, sent(paper, name="same")).status_code == 302
    assert Pipeline.objects.count() == 2


def test_a_pipeline_that_guards_is_not_deleted_to_make_a_weaker_one(
    paper: Paper, ann: User, client_of: Signed
) -> None:
    address = reverse("delivery:pipeline_delete", args=[paper.pipeline.pk])
    client_of(ann).post(address, {"confirm": str(paper.pipeline)})
    assert Pipeline.objects.exists()


def test_a_guarded_environment_keeps_its_kind(
    paper: Paper, ann: User, client_of: Signed
) -> None:
    row = paper.environment
    address = reverse("appconf:environment_edit", args=[row.pk])
    values = {"project": row.project_id, "name": row.name, "code": row.code}
    values |= {"position": row.position}
    client = client_of(ann)
    answer = client.post(address, values | {"kind": "development"})
    assert answer.status_code == 422
    assert "may not weaken what paper / main asks for" in answer.content.decode()
    row.refresh_from_db()
    assert row.kind == "production"
    assert (
        client.post(address, values | {"kind": "production", "notes": "x"}).status_code
        == 302
    )
    grant_on(ann, ("delivery.guard_pipeline",), paper.pipeline.project)
    assert client.post(address, values | {"kind": "development"}).status_code == 302


def guards(**fields: Any) -> Guards:
    plain: dict[str, Any] = {"kinds": frozenset(), "approvals": 0, "roles": frozenset()}
    plain |= {"minutes": 0, "calendar": None, "freezes": None, "in_order": False}
    return Guards(**(plain | fields))


def test_weaker_is_what_lets_through_what_the_other_holds() -> None:
    some = guards(approvals=1, roles=frozenset({3}), kinds=frozenset({"production"}))
    assert not guards().is_weaker_than(guards())
    assert guards(approvals=2).is_weaker_than(some)
    assert not guards(approvals=2, roles=frozenset({3})).is_weaker_than(some)
    elsewhere = guards(approvals=1, roles=frozenset({3}), kinds=frozenset({"test"}))
    assert elsewhere.is_weaker_than(some)
    assert guards(calendar=1).is_weaker_than(guards(calendar=2))
    assert some.is_weaker_than(guards(approvals=1, roles=frozenset({3})))
    near = guards(environments=frozenset({1}))
    assert guards().is_weaker_than(near)
    assert guards(environments=frozenset({1, 2})).is_weaker_than(near)
    assert not guards(environments=frozenset({1})).is_weaker_than(near)
    assert not near.is_weaker_than(guards())


def test_who_develops_does_not_guard_and_release_managers_do() -> None:
    found = {role.key: role for role in ROLES}
    assert "delivery.guard_pipeline" not in found["developer"].patterns
    assert "delivery.*" not in found["developer"].patterns
    assert "delivery.*" in found["release manager"].patterns
