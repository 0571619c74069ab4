"""Environments whose hosts are a real sshd server, with files that lie in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from appconf.models import ConfigFile, Environment
from cmdb.models import Credential, Host
from delivery.configs.planning import make_plan
from delivery.configs.reading import request_read
from delivery.models import ConfigPush
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file
from tests.delivery.configs.push_things import ask, done
from tests.factories import make_host
from tests.farm import SshFarm


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """One sshd server; nobody changes it."""
    with SshFarm(1, tmp_path_factory.mktemp("configs")) as farm:
        yield farm


@pytest.fixture
def host(server: SshFarm, settings: Any, tmp_path: Path, db: None) -> Host:
    """The server in the CMDB, its key accepted."""
    settings.RUN_DIR = tmp_path / "runs"
    credential = Credential.objects.create(
        name="farm", username=server.user, private_key=server.client_key.read_text()
    )
    found = server.hosts[0]
    return make_host(
        "web1",
        address=found.address,
        ssh_port=found.port,
        credential=credential,
        host_key=found.host_key,
    )


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """The folder on the host in which files of configuration lie."""
    folder = tmp_path / "etc it's"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(host: Host, etc: Path, admin: User) -> Environment:
    """An environment with the host."""
    project = make_project("shop", config_path=str(etc))
    return make_environment(project, "live", hosts=[host], by=admin)


@pytest.fixture
def new_file(admin: User, environment: Environment) -> Callable[..., ConfigFile]:
    """Make a file of the environment's project, below the folder."""

    def made(text: str, path: str = "app.conf", **fields: Any) -> ConfigFile:
        return make_file(admin, environment.project, text, path, **fields)

    return made


@pytest.fixture
def push(admin: User, environment: Environment) -> Callable[..., ConfigPush]:
    """Say yes to the plan of this moment, and bring it to the host."""

    def pushed(**wanted: Any) -> ConfigPush:
        plan = make_plan(admin, environment)
        return done(ask(admin, environment, plan, **wanted))

    return pushed


@pytest.fixture
def read(admin: User, environment: Environment) -> Callable[..., ConfigPush]:
    """Read back from the host what stands there."""

    def found() -> ConfigPush:
        return done(request_read(actor=admin, environment=environment))

    return found
