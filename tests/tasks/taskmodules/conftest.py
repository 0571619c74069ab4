"""Runs shipped modules through the engine on a real sshd server; where they would harm this machine, with stand-ins in PATH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup
from tasks import output
from tasks.models import Run
from tasks.services.execute import execute_run
from tasks.services.launch import request_run
from tasks.services.specs import RunSpec
from tests import farm
from tests.factories import make_host
from tests.tasks.module_things import shipped

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Server:
    """One sshd server whose PATH begins with a folder of stand-ins."""

    host: farm.FarmHost
    made: farm.SshFarm
    folder: Path

    @property
    def calls(self) -> list[str]:
        """What the stand-ins were called with, in order."""
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def stand_in(self, name: str, says: str = "", code: int = 0) -> None:
        """Put a program in the place of another one: it notes its words, says something and ends."""
        text = (
            f'#!/bin/sh\necho "{name} $*" >>"{self.folder}/calls"\n'
            f"cat <<'SAID'\n{says}\nSAID\nexit {code}\n"
        )
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture(scope="session")
def one_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[farm.SshFarm, Path]]:
    """The server, for the whole session."""
    folder = tmp_path_factory.mktemp("stand-ins")
    config = f"{farm.CONFIG.rstrip()} PATH={folder}:{SYSTEM}\n"
    with (
        mock.patch.object(farm, "CONFIG", config),
        farm.SshFarm(1, tmp_path_factory.mktemp("server")) as made,
    ):
        yield made, folder


@pytest.fixture
def server(one_server: tuple[farm.SshFarm, Path]) -> Iterator[Server]:
    """The server, without stand-ins at the beginning of each test."""
    made, folder = one_server
    yield Server(made.hosts[0], made, folder)
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture
def host(server: Server, group: HostGroup, run_dir: Path) -> Host:
    """The server in the CMDB."""
    credential = Credential.objects.create(
        name="root",
        username=server.made.user,
        private_key=server.made.client_key.read_text(),
    )
    return make_host(
        "one",
        groups=[group],
        address=server.host.address,
        ssh_port=server.host.port,
        credential=credential,
        host_key=server.host.host_key,
    )


@dataclass
class Result:
    """How a module ended on the host, and what it said there."""

    run: Run
    status: str
    exit_code: int | None
    text: str


@pytest.fixture
def run_module(admin: User, host: Host) -> Callable[..., Result]:
    """Run a shipped module with answers on the server, through the whole engine."""

    def ran(name: str, *, check: bool = False, **answers: Any) -> Result:
        secrets = answers.pop("secrets", {})
        spec = RunSpec(
            kind="task_module",
            task_module=shipped(name),
            answers=answers,
            secret_answers=secrets,
            host_ids=(host.pk,),
            options={"check": True} if check else {},
        )
        run = request_run(actor=admin, spec=spec)
        execute_run(pk=run.pk, worker="test")
        run.refresh_from_db()
        row = run.hosts.get()
        text = output.read(run.pk, row.pk, 0).text
        return Result(run, row.status, row.exit_code, f"{text}\n{row.explanation}")

    return ran
