"""A project on three real sshd servers, ready to be delivered to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Credential
from delivery.models import Pipeline
from tests.app_factories import make_environment, make_project
from tests.delivery.engine.deploy_things import ROOT, Stage, asked_with_roots
from tests.factories import make_host
from tests.farm import SshFarm


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """Three sshd servers for the whole session; nobody changes them."""
    folder = tmp_path_factory.mktemp("three")
    # Start-up files of whoever runs the tests would cost most of the time.
    with SshFarm(3, folder, extra=f"SetEnv HOME={folder}") as farm:
        yield farm


@pytest.fixture
def stage(
    three: SshFarm,
    admin: User,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """A project, its pipeline, and an environment on three hosts where nothing was delivered yet."""
    settings.RUN_DIR = tmp_path / "runs"
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    credential = Credential.objects.create(
        name="farm", username=three.user, private_key=three.client_key.read_text()
    )
    hosts = [
        make_host(
            server.name,
            address=server.address,
            ssh_port=server.port,
            credential=credential,
            host_key=server.host_key,
        )
        for server in three.hosts
    ]
    project = make_project("shop", deploy_path=ROOT)
    environment = make_environment(project, "live", hosts=hosts, by=admin)
    pipeline = Pipeline.objects.create(project=project, name="main", timeout_seconds=60)
    roots = {host.pk: tmp_path / "hosts" / host.hostname / "shop" for host in hosts}
    rooms = ("engine.legwork", "safety.drift", "safety.host_locks")
    for room in rooms:
        monkeypatch.setattr(f"delivery.{room}.request_leg", asked_with_roots(roots))
    return Stage(admin, pipeline, environment, hosts, roots, tmp_path)
