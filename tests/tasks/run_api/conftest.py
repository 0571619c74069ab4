"""Runs that nobody takes unless a test does them, and a host of the operator's group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup
from tasks import tasks
from tasks.run_api import waiting
from tests.factories import make_host, make_user
from tests.tasks.run_api.api_things import Api, token_of
from tests.tasks.run_api.client_things import Cli, until


@pytest.fixture(autouse=True)
def sent(monkeypatch: Any, settings: Any, tmp_path: Any) -> list[int]:
    """The runs for which a worker was called."""
    settings.RUN_DIR = tmp_path / "runs"
    pks: list[int] = []
    door = SimpleNamespace(
        delay=pks.append, apply_async=lambda args, **_: pks.append(args[0])
    )
    monkeypatch.setattr(tasks, "run_run", door, raising=False)
    return pks


@pytest.fixture
def host(group: HostGroup) -> Host:
    """A host of the operator's group."""
    credential = Credential.objects.create(name="root", username="root")
    return make_host("web1", groups=[group], credential=credential)


@pytest.fixture
def api(admin: User) -> Api:
    """The administrator's token."""
    return Api(admin)


@pytest.fixture
def root(transactional_db: None) -> User:
    """Who may do everything, in a portal that listens."""
    return make_user("root", is_superuser=True)


@pytest.fixture
def cli(
    live_server: Any, root: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """The client, and two hosts. Nobody waits for long: the portal does not see that a client is gone."""
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 1.0)
    make_host("web1")
    make_host("web2")
    yield Cli(live_server.url, token_of(root), tmp_path)
    until(lambda: waiting._waiting == 0)
