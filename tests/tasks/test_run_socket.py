"""The web socket of a run: who may enter, output as it grows, the end, and what happens without Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from accounts.models import Grant, User
from cmdb.models import HostGroup
from tasks import sockets
from tasks.models import Run, RunHost
from tasks.output import Hints, OutputFile
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host

pytestmark = pytest.mark.django_db(transaction=True)
Told = list[dict[str, Any]]


@pytest.fixture
def run(admin: User, group: HostGroup, run_dir) -> Run:
    host = make_host("one", groups=[group])
    return request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))


class Socket(ApplicationCommunicator):
    """A browser's end of a web socket, with a user signed in."""

    def __init__(self, user: Any, path: str) -> None:
        address, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "path": address,
            "query_string": query.encode(),
            "headers": [],
            "user": user,
        }
        super().__init__(URLRouter(sockets.socket_patterns), scope)

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(timeout=10))["type"] == "websocket.accept"

    async def ask(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def next(self) -> dict[str, Any]:
        return json.loads((await self.receive_output(timeout=5))["text"])

    async def told(self, kind: str) -> dict[str, Any]:
        """Wait for the next message of a kind."""
        while True:
            message = await self.next()
            if message["type"] == kind:
                return message

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)


def watch(user: Any, path: str, then: Callable[[Socket], Awaitable[None]]) -> None:
    async def go() -> None:
        socket = Socket(user, path)
        assert await socket.connect()
        await then(socket)
        await socket.leave()

    asyncio.run(go())


def refused(user: Any, path: str) -> bool:
    async def go() -> bool:
        socket = Socket(user, path)
        let_in = await socket.connect()
        await socket.leave()
        return not let_in

    return asyncio.run(go())


async def in_thread(work: Callable[[], Any]) -> Any:
    return await database_sync_to_async(work)()


def test_strangers_and_anonymous_visitors_are_refused(
    run: Run, stranger: User, operator: User, other_group: HostGroup, admin: User
) -> None:
    path = f"/ws/tasks/runs/{run.pk}/"
    foreign = make_host("two", groups=[other_group])
    beyond = request_run(
        actor=admin, spec=RunSpec(command="id", host_ids=(foreign.pk,))
    )
    assert refused(AnonymousUser(), path)
    assert refused(stranger, path)
    assert refused(operator, f"/ws/tasks/runs/{beyond.pk}/")
    assert refused(operator, "/ws/tasks/runs/999999/")
    assert not refused(operator, path)


def test_output_comes_as_it_grows_then_the_host_then_the_end(
    run: Run, operator: User
) -> None:
    row = run.hosts.get()
    hints = Hints(run.pk)
    file = OutputFile(run.pk, row.pk, [], hints)
    file.write("early 温\n".encode())

    def grow() -> None:
        file.write(b"late\n")
        file.close()

    def end() -> None:
        RunHost.objects.update(status="failed")
        Run.objects.update(status="failed")
        hints.status()

    async def then(socket: Socket) -> None:
        first = await socket.told("output")
        assert (first["text"], first["offset"], first["next"]) == ("温\n", 6, 10)
        await in_thread(grow)
        assert (await socket.told("output"))["text"] == "late\n"
        await in_thread(end)
        host = await socket.told("host")
        assert (host["host"], host["status"], host["word"]) == (
            row.pk,
            "danger",
            "failed",
        )
        last = await socket.told("end")
        assert (last["status"], last["label"]) == ("danger", "failed")

    watch(operator, f"/ws/tasks/runs/{run.pk}/hosts/{row.pk}/?offset=6", then)


@pytest.mark.parametrize("chosen_by", ["user", "browser"])
def test_states_are_told_in_the_watchers_language(
    run: Run, operator: User, chosen_by: str
) -> None:
    operator.language = "zh-hans" if chosen_by == "user" else ""

    async def go() -> None:
        socket = Socket(operator, f"/ws/tasks/runs/{run.pk}/")
        socket.scope["headers"] = [(b"accept-language", b"zh-CN,zh;q=0.9")]
        assert await socket.connect()
        await in_thread(lambda: RunHost.objects.update(status="failed"))
        assert (await socket.told("host"))["label"] == "失败"
        await socket.leave()

    asyncio.run(go())


def test_a_watcher_turns_to_another_host(run: Run, operator: User) -> None:
    row = run.hosts.get()
    OutputFile(run.pk, row.pk, [], Hints(run.pk)).write(b"0123456789")

    async def then(socket: Socket) -> None:
        await socket.ask("not json")
        await socket.ask(json.dumps({"host": row.pk, "offset": 8}))
        assert (await socket.told("output"))["text"] == "89"

    watch(operator, f"/ws/tasks/runs/{run.pk}/", then)


def test_hosts_outside_the_scope_and_the_whole_output_stay_closed(
    admin: User, operator: User, group: HostGroup, other_group: HostGroup, run_dir
) -> None:
    own, foreign = (
        make_host("own", groups=[group]),
        make_host("foreign", groups=[other_group]),
    )
    run = request_run(
        actor=admin, spec=RunSpec(command="id", host_ids=(own.pk, foreign.pk))
    )
    foreign_row, own_row = run.hosts.get(host=foreign), run.hosts.get(host=own)
    for row_id in (None, foreign_row.pk):
        OutputFile(run.pk, row_id, [], Hints(run.pk)).write(b"closed")
    OutputFile(run.pk, own_row.pk, [], Hints(run.pk)).write(b"open")
    RunHost.objects.update(status="running")

    async def then(socket: Socket) -> None:
        for row_id in (None, foreign_row.pk, own_row.pk):
            await socket.ask(json.dumps({"host": row_id, "offset": 0}))
        seen: Told = []
        while not seen or seen[-1]["type"] != "output":
            seen.append(await socket.next())
        assert seen[-1]["text"] == "open"
        assert foreign_row.pk not in {message["host"] for message in seen}

    watch(operator, f"/ws/tasks/runs/{run.pk}/", then)


def test_without_redis_the_output_still_comes(
    run: Run, operator: User, settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    row = run.hosts.get()
    file = OutputFile(run.pk, row.pk, [], Hints(run.pk))

    async def then(socket: Socket) -> None:
        await asyncio.sleep(0.3)
        await in_thread(lambda: file.write(b"by itself\n"))
        assert (await socket.told("output"))["text"] == "by itself\n"

    watch(operator, f"/ws/tasks/runs/{run.pk}/hosts/{row.pk}/", then)


def test_a_watcher_who_loses_the_permission_is_sent_away(
    run: Run, operator: User, monkeypatch
) -> None:
    monkeypatch.setattr(sockets, "RECHECK_SECONDS", 0)

    async def then(socket: Socket) -> None:
        await in_thread(lambda: Grant.objects.filter(user=operator).delete())
        closed = await socket.receive_output(timeout=5)
        while closed["type"] != "websocket.close":
            closed = await socket.receive_output(timeout=5)
        assert closed["code"] == 4403

    watch(operator, f"/ws/tasks/runs/{run.pk}/", then)
