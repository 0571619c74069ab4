"""A web socket lives no longer than the session it came with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.utils import timezone

from accounts.models import PortalSession, User
from accounts.sessions import SessionStore
from cmdb.models import HostGroup
from tasks import sockets
from tasks.models import Run
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(admin: User, group: HostGroup, run_dir: Any) -> Run:
    host = make_host("one", groups=[group])
    return request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))


@pytest.fixture
def socket(client_of: Any, admin: User, run: Run) -> Callable[[], Any]:
    """Make a web socket that comes with the session of a browser."""
    key = client_of(admin).cookies["sessionid"].value

    def opened() -> ApplicationCommunicator:
        scope = {
            "type": "websocket",
            "path": f"/ws/tasks/runs/{run.pk}/",
            "query_string": b"",
            "headers": [],
            "user": User.objects.get(pk=admin.pk),
            "session": SessionStore(key),
        }
        return ApplicationCommunicator(URLRouter(sockets.socket_patterns), scope)

    return opened


async def _closing_code(socket: ApplicationCommunicator, end: Callable[[], Any]) -> int:
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(timeout=10))["type"] == "websocket.accept"
    await database_sync_to_async(end)()
    while True:
        message = await socket.receive_output(timeout=10)
        if message["type"] == "websocket.close":
            return int(message["code"])


@pytest.mark.parametrize("how", ["ended", "idle", "too old", "stopped"])
def test_a_socket_closes_when_its_session_is_over(
    socket: Callable[[], Any],
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(sockets, "RECHECK_SECONDS", 0.1)
    long_ago = timezone.now().replace(year=2020)
    ends: dict[str, Callable[[], Any]] = {
        "ended": lambda: PortalSession.objects.all().delete(),
        "idle": lambda: PortalSession.objects.update(seen_at=long_ago),
        "too old": lambda: PortalSession.objects.update(began_at=long_ago),
        "stopped": lambda: User.objects.filter(pk=admin.pk).update(expires_at=long_ago),
    }
    assert asyncio.run(_closing_code(socket(), ends[how])) == 4403


def test_who_has_a_duty_opens_no_socket(socket: Callable[[], Any], admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(must_change_password=True)
    opened = socket()

    async def go() -> str:
        await opened.send_input({"type": "websocket.connect"})
        return str((await opened.receive_output(timeout=10))["type"])

    assert asyncio.run(go()) == "websocket.close"
