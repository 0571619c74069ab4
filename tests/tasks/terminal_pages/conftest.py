"""Who opens terminals, who watches over them, and what is ordered of the process that holds them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset import redis_door
from cmdb.models import Host, HostGroup
from tasks.models import TerminalSession
from tests.factories import grant, make_host, make_user
from tests.tasks.terminal_pages.session_things import make_session

Signed = Callable[[User], Client]
Orders = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def db1(group: HostGroup) -> Host:
    """A host of the group."""
    return make_host("db1", groups=[group])


@pytest.fixture
def db2(other_group: HostGroup) -> Host:
    """A host of another group."""
    return make_host("db2", groups=[other_group])


@pytest.fixture
def anna(group: HostGroup) -> User:
    """Opens terminals on the hosts of the group, and holds nothing else of terminals."""
    return make_user(
        "anna", perms=["cmdb.view_host", "cmdb.terminal_host"], groups=[group]
    )


@pytest.fixture
def guard(group: HostGroup) -> User:
    """Watches over the terminals of the group."""
    actions = ("view", "watch", "control", "replay")
    perms = [f"tasks.{action}_terminalsession" for action in actions]
    return make_user("guard", perms=["cmdb.view_host", *perms], groups=[group])


@pytest.fixture
def viewer(group: HostGroup) -> User:
    """Sees the sessions of the group, and may do nothing to them."""
    return make_user("viewer", perms=["tasks.view_terminalsession"], groups=[group])


@pytest.fixture
def session(anna: User, db1: Host) -> TerminalSession:
    """A live session of hers."""
    return make_session(anna, db1, login="root", client_address="192.0.2.7")


@pytest.fixture
def elsewhere(admin: User, db2: Host) -> TerminalSession:
    """A live session out of the group, of somebody else."""
    return make_session(admin, db2)


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The tickets that were given, instead of Redis."""
    kept: dict[str, str] = {}
    monkeypatch.setattr(
        redis_door, "put_ticket", lambda name, text, seconds: kept.update({name: text})
    )
    return kept


@pytest.fixture
def worker(operator: User, group: HostGroup) -> User:
    """The operator, who may open terminals in the own group."""
    grant(operator, ["cmdb.terminal_host"], [group])
    grant(operator, ["cmdb.use_credential"])
    return operator


@pytest.fixture
def browser(client_of: Signed, worker: User) -> Client:
    """The operator's browser, just signed in."""
    return client_of(worker)


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Orders:
    """What is ordered over Redis: (key of the session, order)."""
    sent: Orders = []

    def publish(channel: str, text: str) -> None:
        sent.append((channel.removeprefix("terminal:"), json.loads(text)))

    monkeypatch.setattr("adminset.redis_door.publish", publish)
    return sent
