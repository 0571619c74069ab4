"""A host that answers, a folder on it, and somebody who may do everything with its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks.hostfiles import hands
from tasks.hostfiles.access import ACTIONS, Place, permission
from tests.factories import grant
from tests.tasks.hostfiles.things import FilesPage


@pytest.fixture(autouse=True)
def _apart(settings: Any, tmp_path: Path) -> Iterator[None]:
    """A waste of its own for each test, and no upload in hand afterwards."""
    settings.FILES_WASTE = str(tmp_path / "waste")
    cache.clear()
    yield
    hands.HANDS.close()
    assert len(hands.HANDS) == 0


@pytest.fixture
def keeper(operator: User, group: HostGroup) -> User:
    """The operator, who may do everything with the files of the group's hosts."""
    grant(operator, [permission(action) for action in ACTIONS], [group])
    return operator


@pytest.fixture
def host(hosts: list[Host]) -> Host:
    """A host that answers, as it is read from the database."""
    return Host.objects.select_related("credential", "idc").get(pk=hosts[0].pk)


@pytest.fixture
def place(keeper: User, host: Host) -> Place:
    """The keeper at the host."""
    return Place(keeper, host)


@pytest.fixture
def page(client_of: Callable[[User], Client], keeper: User, host: Host) -> FilesPage:
    """The keeper's browser on the host's files."""
    return FilesPage(client_of(keeper), host)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder on the host, which is this machine."""
    made = tmp_path / "there"
    made.mkdir()
    return made
