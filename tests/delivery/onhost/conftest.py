"""Hosts of the programs' tests: folders, in both shells; three sshd servers in the CMDB for the whole chain."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Credential, Host
from delivery.artefacts import store
from delivery.artefacts.rules import Rules
from tasks.legs.asking import Leg, request_leg
from tasks.legs.judging import JUDGES
from tasks.legs.reading import HostReport, reports
from tasks.models import Run
from tasks.services.execute import execute_run
from tests.delivery.onhost.host_things import SHELLS, Box
from tests.factories import make_host
from tests.farm import SshFarm


@pytest.fixture(params=SHELLS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    """A host where nothing was delivered yet."""
    shell = SHELLS[request.param]
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is missing")
    return Box(tmp_path / "srv" / "it's a shop", shell)


@pytest.fixture
def artefact(settings: Any, tmp_path: Path) -> Callable[..., store.Stored]:
    """Store files (path -> bytes) as an artefact, in a store of this test's own."""
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    count = iter(range(100))

    def stored(files: dict[str, bytes], **links: str) -> store.Stored:
        folder = tmp_path / f"built-{next(count)}"
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        for path, target in links.items():
            (folder / path).symlink_to(target)
        return store.add(folder, Rules())

    return stored


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """Three sshd servers; nobody changes them."""
    with SshFarm(3, tmp_path_factory.mktemp("onhost")) as farm:
        yield farm


@pytest.fixture
def hosts(servers: SshFarm, settings: Any, tmp_path: Path, db: None) -> list[Host]:
    """The servers in the CMDB, their keys accepted."""
    settings.RUN_DIR = tmp_path / "runs"
    credential = Credential.objects.create(
        name="farm",
        username=servers.user,
        private_key=servers.client_key.read_text(),
    )
    return [
        make_host(
            server.name,
            address=server.address,
            ssh_port=server.port,
            credential=credential,
            host_key=server.host_key,
        )
        for server in servers.hosts
    ]


@pytest.fixture
def do_leg(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Leg], dict[int, HostReport]]:
    """Ask for a leg, do it in this process, and give what each host said."""
    monkeypatch.setitem(
        JUDGES, "delivery", lambda run, hosts: {host.pk for host in hosts}
    )
    count = iter(range(1000))

    def done(leg: Leg) -> dict[int, HostReport]:
        run: Run = request_leg(actor=admin, leg=leg, key=f"onhost-{next(count)}")
        execute_run(pk=run.pk, worker="test")
        return reports(run)

    return done
