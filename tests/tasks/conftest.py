"""A farm of real sshd servers as hosts of the CMDB, and short ways to ask for runs and do them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup
from tasks.models import Run, RunHost
from tasks.services.execute import LANES, execute_run
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host
from tests.farm import SshFarm
from tests.tasks.engine_things import FakeLane


@pytest.fixture(scope="session")
def three_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """Three sshd servers for the whole session; nobody changes them."""
    with SshFarm(3, tmp_path_factory.mktemp("servers")) as farm:
        yield farm


@pytest.fixture
def run_dir(settings: Any, tmp_path: Path) -> Path:
    """A folder of its own for the output of each test."""
    settings.RUN_DIR = tmp_path / "runs"
    return settings.RUN_DIR


@pytest.fixture
def hosts(three_servers: SshFarm, group: HostGroup, run_dir: Path) -> list[Host]:
    """The three servers in the CMDB: with credential, keys accepted, in the operator's group."""
    credential = Credential.objects.create(
        name="farm",
        username=three_servers.user,
        private_key=three_servers.client_key.read_text(),
        become_password="farm-secret-word",
    )
    return [
        make_host(
            server.name,
            groups=[group],
            address=server.address,
            ssh_port=server.port,
            credential=credential,
            host_key=server.host_key,
        )
        for server in three_servers.hosts
    ]


@pytest.fixture
def ask(admin: User, hosts: list[Host]) -> Callable[..., Run]:
    """Ask for a run on the three hosts, as the administrator unless said otherwise."""

    def asked(**wanted: Any) -> Run:
        actor = wanted.pop("actor", admin)
        ids = tuple(host.pk for host in wanted.pop("on", hosts))
        spec = {"command": "true", "host_ids": ids, "timeout_seconds": 30} | wanted
        return request_run(actor=actor, spec=RunSpec(**spec))

    return asked


@pytest.fixture
def do(ask: Callable[..., Run]) -> Callable[..., Run]:
    """Ask for a run and do it, in this process."""

    def done(**wanted: Any) -> Run:
        run = ask(**wanted)
        execute_run(pk=run.pk, worker="test")
        run.refresh_from_db()
        return run

    return done


@pytest.fixture
def fake_lane(monkeypatch: pytest.MonkeyPatch, run_dir: Path) -> FakeLane:
    """Let commands go down a lane without connections; the engine looks at the database at each look."""
    lane = FakeLane()
    monkeypatch.setitem(LANES, Run.Kind.COMMAND, lane)
    monkeypatch.setattr("tasks.services.claim.LOOK_SECONDS", 0)
    return lane


def results(run: Run) -> dict[str, tuple[str, int | None]]:
    """Give host name -> (status, exit code)."""
    rows = RunHost.objects.filter(run=run)
    return {row.host_name: (row.status, row.exit_code) for row in rows}
