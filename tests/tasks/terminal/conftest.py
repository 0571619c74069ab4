"""A real sshd as a host of the CMDB, and short ways to open terminals there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from accounts.models import User
from adminset import context
from cmdb.models import Host
from tasks.models import TerminalSession
from tasks.terminal import sockets
from tasks.terminal.opening import Wanted, open_terminal
from tasks.terminal.registry import REGISTRY
from tests.factories import grant
from tests.tasks.terminal.things import ADDRESS

# The database in memory refuses whoever writes beside somebody else; a real one lets them wait.
DESKS = {"sqlite": 1, "postgresql": 8, "mysql": 8}
Opened = tuple[TerminalSession, dict[str, Any]]


def _read_past_locks(connection: Any, **_: Any) -> None:
    """Let threads read tables of the database in memory that others are writing; a real database lets them wait."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA read_uncommitted = 1")


@pytest.fixture(autouse=True)
def _threads_read(transactional_db: None) -> Iterator[None]:
    _read_past_locks(connection)
    connection_created.connect(_read_past_locks)
    yield
    connection_created.disconnect(_read_past_locks)


@pytest.fixture(autouse=True)
def _terminals(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _threads_read: None
) -> Iterator[None]:
    """A folder of their own for recordings; no terminal outlives its test."""
    settings.TERMINAL_DIR = tmp_path / "terminals"
    with ThreadPoolExecutor(DESKS[connection.vendor]) as desk:
        monkeypatch.setattr(sockets, "DESK", desk)
        yield
        REGISTRY.drain("The test is over.")
        REGISTRY.reopen()


@pytest.fixture
def from_here() -> Iterator[None]:
    """Let what is done come from the address of the test's page."""
    token = context.current.set(context.RequestContext(address=ADDRESS))
    yield
    context.current.reset(token)


@pytest.fixture
def worker(operator: User, group: Any) -> User:
    """The operator, who may also open terminals on the hosts of the own group."""
    grant(operator, ["cmdb.terminal_host"], [group])
    return operator


@pytest.fixture
def host(hosts: list[Host]) -> Host:
    """A host that answers."""
    return hosts[0]


@pytest.fixture
def opened(from_here: None, worker: User, host: Host) -> Callable[..., Opened]:
    """Open a terminal, as the worker unless said otherwise; give the session and the hello for its page."""

    def made(
        actor: User | None = None, on: Host | None = None, **wanted: Any
    ) -> Opened:
        session, ticket = open_terminal(
            actor=actor or worker, host=on or host, wanted=Wanted(**wanted)
        )
        return session, {"ticket": ticket, "columns": 100, "rows": 30, "from": None}

    return made
