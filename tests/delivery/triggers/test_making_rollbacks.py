"""A way back that was asked for from outside: its plan is made before anything is locked, and compares no files."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from delivery.engine.rolling_back import plan_rollback
from delivery.models import (
    Artefact,
    Deploy,
    DeployLock,
    DeployRequest,
    LiveRelease,
)
from delivery.planning import planning, sizes
from delivery.triggers import making
from delivery.triggers.wishing import wish
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(paper: Paper) -> Paper:
    """All hosts run release 2 and keep release 1."""
    old, live = paper.artefact(1), paper.artefact(2)
    for host in paper.hosts:
        LiveRelease.objects.create(
            environment=paper.environment,
            host=host,
            artefact=live,
            said=live.release,
            previous=old.release,
            kept=[{"release": old.release, "good": True, "bad": False}],
        )
    return paper


def wished(paper: Paper) -> DeployRequest:
    row = wish(
        actor=paper.user,
        key="back",
        pipeline=paper.pipeline,
        environment=paper.environment,
        trigger=Deploy.Trigger.API,
        kind=Deploy.Kind.ROLLBACK,
        ref_kind=Deploy.RefKind.ARTEFACT,
        reason="it is broken",
    )
    making.make(row.pk)
    row.refresh_from_db()
    return row


def test_the_plan_of_a_rollback_is_made_before_anything_is_locked(
    kept: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, real = len(connection.savepoint_ids), planning.make_plan
    inside = []

    def make_plan(**wanted: Any) -> Any:
        inside.append(len(connection.savepoint_ids) - outside)
        return real(**wanted)

    monkeypatch.setattr("delivery.engine.rolling_back.make_plan", make_plan)
    row = wished(kept)
    assert (row.state, inside) == ("made", [0]), row.words
    assert row.deploy is not None
    assert row.deploy.artefact == Artefact.objects.get(number=1)
    assert row.deploy.kind == "rollback"
    assert (row.deploy.reason, row.deploy.trigger) == ("it is broken", "api")


def test_somebody_who_locks_while_the_plan_is_made_stops_the_rollback(
    kept: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = planning.make_plan

    def make_plan(**wanted: Any) -> Any:
        DeployLock.objects.create(
            environment=kept.environment,
            owner=kept.user,
            owner_name="ann",
            reason="stop",
        )
        return real(**wanted)

    monkeypatch.setattr("delivery.engine.rolling_back.make_plan", make_plan)
    row = wished(kept)
    assert (row.state, row.code, row.deploy) == ("refused", "locked", None)
    assert not Deploy.objects.exists()


def test_the_plan_of_a_rollback_compares_no_files(
    kept: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(sizes, "_manifest", read.append)
    plan = plan_rollback(
        actor=kept.user, environment=kept.environment, pipeline=kept.pipeline
    )
    assert {one for one in read if one} == set()
    assert (plan.changes, {row.files for row in plan.rows}) == ((), {None})
