"""A rollback of many hosts goes on where one of them cannot: it is named, and not touched."""

from __future__ import annotations

import pytest

from adminset.errors import DomainError
from adminset.models import AuditEntry
from cmdb.models import Host
from delivery.engine.rolling_back import request_rollback
from delivery.models import Artefact, Deploy, DeployLock, LiveRelease
from tests.delivery.engine.deploy_things import Stage, kinds, statuses
from tests.farm import free_port

pytestmark = pytest.mark.django_db


def back(stage: Stage, to: Artefact | None = None) -> Deploy:
    asked = request_rollback(
        actor=stage.user,
        environment=stage.environment,
        pipeline=stage.pipeline,
        to_artefact=to,
    )
    return stage.drive(asked)


def both(stage: Stage) -> tuple[Artefact, Artefact]:
    """Deploy two releases, one after the other."""
    first, second = stage.artefact("one"), stage.artefact("two")
    assert stage.deploy(first).status == "ok"
    assert stage.deploy(second).status == "ok"
    return first, second


def cut_off(host: Host) -> int:
    """Let nobody reach a host any more; give its port."""
    port, closed = host.ssh_port, free_port("127.0.0.1")
    Host.objects.filter(pk=host.pk).update(ssh_port=closed)
    return port


def test_one_host_that_is_away_does_not_keep_the_others_on_a_bad_release(
    stage: Stage,
) -> None:
    first, second = both(stage)
    port = cut_off(stage.hosts[1])
    deploy = back(stage)
    assert stage.live() == ["one", "two", "one"], (deploy.explanation, kinds(deploy))
    assert deploy.status == "failed"
    assert "Left out, with what they had: host1: " in deploy.explanation
    assert statuses(deploy) == {"host0": "ok", "host1": "unreachable", "host2": "ok"}
    assert not deploy.hosts.get(host_name="host1").touched
    claim = deploy.steps.get(kind="claim")
    assert (claim.status, "without host1" in claim.explanation) == ("ok", True)
    unlock = deploy.steps.get(kind="unlock")
    assert unlock.status == "ok", unlock.explanation
    said = dict(LiveRelease.objects.values_list("host__hostname", "said"))
    assert said == {
        "host0": first.release,
        "host1": second.release,
        "host2": first.release,
    }
    assert not DeployLock.objects.exists()
    assert not any(stage.locked())
    # Once it is there again it goes back, too.
    Host.objects.filter(pk=stage.hosts[1].pk).update(ssh_port=port)
    assert back(stage, first).status == "ok"
    assert stage.live() == ["one", "one", "one"]


def test_where_no_host_can_be_locked_a_rollback_fails_and_changes_nothing(
    stage: Stage,
) -> None:
    both(stage)
    for host in stage.hosts:
        cut_off(host)
    deploy = back(stage)
    assert deploy.status == "failed"
    assert dict(kinds(deploy))["activate"] == "skipped"
    assert "host0, host1, host2" in deploy.explanation
    assert not deploy.hosts.filter(touched=True).exists()
    assert stage.live() == ["two", "two", "two"]


def test_a_host_without_the_release_is_left_out_and_told_so(stage: Stage) -> None:
    first, _second = both(stage)
    row = LiveRelease.objects.get(host=stage.hosts[2])
    row.kept = [one for one in row.kept if one["release"] != first.release]
    row.save()
    deploy = back(stage)
    assert stage.live() == ["one", "one", "two"], (deploy.explanation, kinds(deploy))
    assert deploy.status == "failed"
    out = deploy.hosts.get(host_name="host2")
    assert (out.status, out.touched) == ("failed", False)
    assert "is not kept here" in out.explanation
    assert "Left out, with what they had: host2: " in deploy.explanation
    assert any("goes on without them" in one for one in deploy.plan["warnings"])
    # It was never asked for anything.
    ids = deploy.steps.get(kind="claim").run.hosts.values_list("host_name", flat=True)
    assert sorted(ids) == ["host0", "host1"]
    with pytest.raises(DomainError, match="is not kept on host0, host1, host2"):
        back(stage, stage.artefact("never"))
    assert AuditEntry.objects.filter(verb="deploy.request").count() == 3
