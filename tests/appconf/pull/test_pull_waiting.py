"""A program waits at the real pages behind the door: a change that somebody saves wakes it; a token that ends sends it away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.core.asgi import get_asgi_application

from accounts.models import User
from appconf.config.forms import VariableForm
from appconf.config.saving import save_variable
from appconf.models import Environment, PullToken
from appconf.pull.door import Door
from appconf.pull.tokens import create_token
from tests.app_factories import make_environment, make_project

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(90)]


@pytest.fixture
def environment(db: None) -> Environment:
    return make_environment(make_project("shop"), "live")


def _save(admin: User, environment: Environment, value: str) -> None:
    sent = {
        "name": "PORT",
        "level": "project",
        "project": environment.project_id,
        "value": value,
    }
    form = VariableForm(sent, user=admin)
    assert form.is_valid(), form.errors
    save_variable(actor=admin, form=form)


class Asker:
    """A program with a token."""

    def __init__(self, token: str) -> None:
        self._door = Door(get_asgi_application())
        self._token = token

    def ask(self, etag: str = "", wait: int = 0) -> ApplicationCommunicator:
        headers = [
            (b"host", b"testserver"),
            (b"authorization", f"Bearer {self._token}".encode()),
        ]
        if etag:
            headers.append((b"if-none-match", etag.encode()))
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/v1/config/shop/live/",
            "query_string": f"wait={wait}".encode() if wait else b"",
            "headers": headers,
            "client": ("127.0.0.1", 5),
            "server": ("testserver", 80),
        }
        return ApplicationCommunicator(self._door, scope)

    async def begin(self, *asked: Any) -> ApplicationCommunicator:
        asking = self.ask(*asked)
        await asking.send_input({"type": "http.request", "body": b""})
        return asking


async def _answer(asking: ApplicationCommunicator) -> tuple[int, dict[str, str], Any]:
    start = await asking.receive_output(timeout=40)
    body = await asking.receive_output(timeout=10)
    headers = {name.decode().lower(): text.decode() for name, text in start["headers"]}
    told = json.loads(body["body"]) if body.get("body") else None
    return start["status"], headers, told


def _run(go: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(go())  # type: ignore[arg-type]


def test_a_variable_that_somebody_saves_wakes_a_program_that_waits(
    admin: User, environment: Environment
) -> None:
    _row, text = create_token(actor=admin, environment=environment, name="app", days=1)

    async def go() -> None:
        asker = Asker(text)
        status, headers, told = await _answer(await asker.begin())
        assert (status, "PORT" in told) == (200, False)
        waiting = await asker.begin(headers["etag"], 30)
        assert await waiting.receive_nothing(timeout=1)
        await database_sync_to_async(_save)(admin, environment, "80")
        status, headers, told = await _answer(waiting)
        assert (status, told["PORT"]) == (200, "80")

    _run(go)


def test_a_token_that_ends_meanwhile_gets_nothing_more(
    admin: User, environment: Environment
) -> None:
    row, text = create_token(actor=admin, environment=environment, name="app", days=1)

    def end() -> None:
        PullToken.objects.filter(pk=row.pk).update(is_active=False)
        _save(admin, environment, "80")

    async def go() -> None:
        asker = Asker(text)
        _status, headers, _told = await _answer(await asker.begin())
        waiting = await asker.begin(headers["etag"], 30)
        assert await waiting.receive_nothing(timeout=1)
        await database_sync_to_async(end)()
        status, _headers, told = await _answer(waiting)
        assert status == 401
        assert "PORT" not in json.dumps(told)

    _run(go)
