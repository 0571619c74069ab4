"""The web socket of a terminal behind all that the portal puts before it: who is refused at the handshake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from accounts.models import User
from adminset.asgi import application
from cmdb.models import HostGroup
from tasks.models import TerminalSession
from tasks.terminal import tickets
from tasks.terminal.registry import REGISTRY
from tests.factories import grant, make_user
from tests.tasks.terminal.things import ADDRESS, PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "http://testserver"
Opened = Callable[..., Any]


def knock(key: str, cookie: str, origin: str) -> str:
    """Come as a browser does; give what the portal answers to the handshake."""
    headers = [(b"host", b"testserver"), (b"origin", origin.encode())]
    headers += [(b"cookie", f"sessionid={cookie}".encode())] if cookie else []
    scope = {
        "type": "websocket",
        "path": f"/ws/tasks/terminals/{key}/",
        "query_string": b"",
        "headers": [header for header in headers if header[1]],
        "client": (ADDRESS, 40000),
        "subprotocols": [],
    }

    async def scene() -> str:
        page = ApplicationCommunicator(application, scope)
        await page.send_input({"type": "websocket.connect"})
        answer = await page.receive_output(timeout=PATIENCE_SECONDS)
        await page.send_input({"type": "websocket.disconnect", "code": 1001})
        await page.wait(timeout=PATIENCE_SECONDS)
        return str(answer["type"])

    return asyncio.run(scene())


@pytest.fixture
def cookie_of(client_of: Any) -> Callable[[User], str]:
    """Sign somebody in, and give the cookie."""
    return lambda user: str(client_of(user).cookies["sessionid"].value)


def test_its_owner_comes_in(
    opened: Opened, worker: User, cookie_of: Callable[[User], str]
) -> None:
    session, _hello = opened()
    assert knock(session.key, cookie_of(worker), HERE) == "websocket.accept"


@pytest.mark.parametrize(
    "who",
    [
        "nobody",
        "unknown cookie",
        "other origin",
        "no origin",
        "colleague",
        "out of scope",
    ],
)
def test_others_are_refused_at_the_handshake_and_no_session_is_touched(
    opened: Opened,
    worker: User,
    group: HostGroup,
    other_group: HostGroup,
    cookie_of: Callable[[User], str],
    who: str,
) -> None:
    session, hello = opened()
    before = TerminalSession.objects.values().get()
    colleague, watcher = make_user("colleague"), make_user("watcher")
    grant(colleague, ["cmdb.terminal_host", "cmdb.use_credential"], [group])
    grant(watcher, ["tasks.watch_terminalsession"], [other_group])
    cookie, origin = {
        "nobody": ("", HERE),
        "unknown cookie": ("x" * 32, HERE),
        "other origin": (cookie_of(worker), "https://evil.example"),
        "no origin": (cookie_of(worker), ""),
        "colleague": (cookie_of(colleague), HERE),
        "out of scope": (cookie_of(watcher), HERE),
    }[who]
    assert knock(session.key, cookie, origin) == "websocket.close"
    assert TerminalSession.objects.values().get() == before
    assert REGISTRY.all() == []
    # Its ticket is still there for the owner.
    assert tickets.redeem(hello["ticket"], worker, ADDRESS, session.key, None)
