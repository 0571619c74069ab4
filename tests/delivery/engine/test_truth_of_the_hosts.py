"""The truth lies on the hosts: what the portal has lost is read in again, and a way back is there again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from appconf.models import EnvironmentHost
from cmdb.models import Host
from delivery.engine import calls
from delivery.engine.rolling_back import request_rollback
from delivery.models import LiveRelease
from tasks.models import Run
from tasks.services.execute import execute_run
from tests.delivery.engine.deploy_things import Stage, kinds
from tests.farm import free_port

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def read_back(stage: Stage, client: Client) -> Run:
    address = reverse("delivery:environment_read", args=[stage.environment.pk])
    assert client.post(address).status_code == 302
    run = Run.objects.latest("pk")
    execute_run(pk=run.pk, worker="test")
    calls.run_ended(run.pk)
    return run


def test_what_the_database_lost_is_read_in_again_and_a_rollback_works(
    stage: Stage, client_of: Signed
) -> None:
    first, second = stage.artefact("one"), stage.artefact("two")
    stage.deploy(first)
    stage.deploy(second)
    LiveRelease.objects.all().delete()
    # One of the hosts is away at that moment.
    port = stage.hosts[2].ssh_port
    away = Host.objects.filter(pk=stage.hosts[2].pk)
    away.update(ssh_port=free_port("127.0.0.1"))
    client = client_of(stage.user)
    page = reverse("delivery:environment_live", args=[stage.environment.pk])
    assert "Read back now" in client.get(page).content.decode()
    run = read_back(stage, client)
    assert run.hosts.count() == 3
    rows = {row.host_id: row for row in LiveRelease.objects.all()}
    for host in stage.hosts[:2]:
        row = rows[host.pk]
        assert (row.said, row.expected) == (second.release, second.release)
        assert (row.previous, row.artefact) == (first.release, second)
        assert {one["release"] for one in row.kept} == {first.release, second.release}
        assert all(one["good"] for one in row.kept)
    silent = rows[stage.hosts[2].pk]
    assert (silent.read_at, silent.said, bool(silent.problem)) == (None, "", True)
    assert not AuditEntry.objects.filter(verb="liverelease.drift").exists()
    away.update(ssh_port=port)
    back = request_rollback(
        actor=stage.user, environment=stage.environment, pipeline=stage.pipeline
    )
    back = stage.drive(back)
    assert back.artefact == first
    # Nobody knows what the third one keeps: it is left as it was.
    assert stage.live() == ["one", "one", "two"], (back.explanation, kinds(back))


def test_reading_back_by_hand_asks_only_hosts_of_the_environment(
    stage: Stage, client_of: Signed
) -> None:
    stage.deploy(stage.artefact("one"))
    LiveRelease.objects.all().delete()
    EnvironmentHost.objects.filter(host=stage.hosts[0]).delete()
    run = read_back(stage, client_of(stage.user))
    asked = run.hosts.values_list("host_name", flat=True)
    assert sorted(asked) == ["host1", "host2"]
    assert LiveRelease.objects.count() == 2
