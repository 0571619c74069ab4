"""The ordinary way of a release to three real hosts: nothing but a few files, and all of it said."""

from __future__ import annotations

import pytest

from adminset.models import AuditEntry
from delivery.models import DeployLock, LiveRelease
from tests.delivery.engine.deploy_things import Stage, kinds, statuses

pytestmark = pytest.mark.django_db


def test_a_release_comes_to_all_hosts_and_each_says_so(stage: Stage) -> None:
    first = stage.artefact("one")
    deploy = stage.deploy(first, reason="the first one")
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["one", "one", "one"]
    assert set(statuses(deploy).values()) == {"ok"}
    assert {status for _kind, status in kinds(deploy)} == {"ok"}
    assert not any(stage.locked())
    assert not DeployLock.objects.exists()
    rows = LiveRelease.objects.all()
    assert {(row.expected, row.said) for row in rows} == {(first.release,) * 2}
    assert not [row for row in rows if row.has_drifted]
    assert [row.touched for row in deploy.hosts.all()] == [False] * 3
    verbs = AuditEntry.objects.filter(target_type="delivery.deploy")
    assert sorted(verbs.values_list("verb", flat=True)) == [
        "deploy.finish",
        "deploy.request",
        "deploy.start",
    ]
