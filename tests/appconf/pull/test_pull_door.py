"""Programs that wait for new configuration: woken by a change, ended by time, and never at the cost of a thread."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from adminset.redis_door import publish
from appconf.pull.bell import ALL, CHANNEL
from appconf.pull.door import Door

pytestmark = pytest.mark.timeout(60)


class Pages:
    """Stands where Django stands: 304 until something changes; counts who is inside."""

    def __init__(self) -> None:
        self.changed = False
        self.looks = 0
        self.inside = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside += 1
        assert (await receive())["type"] == "http.request"
        self.looks += 1
        status = 200 if self.changed else 304
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"new" * self.changed})
        self.inside -= 1


def _scope(query: str = "wait=20", path: str = "/api/v1/config/shop/live/") -> Any:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"authorization", b"Bearer a.b")],
    }


async def _ask(door: Door, scope: Any) -> ApplicationCommunicator:
    asking = ApplicationCommunicator(door, scope)
    await asking.send_input({"type": "http.request", "body": b""})
    return asking


async def _looked(pages: Pages, times: int) -> None:
    until = time.monotonic() + 20
    while pages.looks < times and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert pages.looks >= times


async def _status(asking: ApplicationCommunicator, seconds: float = 20) -> int:
    return int((await asking.receive_output(timeout=seconds))["status"])


@pytest.mark.parametrize("told", ["shop", ALL])
def test_a_change_wakes_who_waits(told: str) -> None:
    async def go() -> None:
        pages = Pages()
        door = Door(pages)
        asking = await _ask(door, _scope())
        await _looked(pages, 1)
        assert await asking.receive_nothing(timeout=0.2)
        assert pages.inside == 0
        pages.changed = True
        began = time.monotonic()
        await asyncio.to_thread(publish, CHANNEL, told)
        assert await _status(asking) == 200
        assert time.monotonic() - began < 10
        assert (await asking.receive_output())["body"] == b"new"
        await asking.wait()
        assert not door._waiting

    asyncio.run(go())


def test_a_change_of_another_project_wakes_nobody() -> None:
    async def go() -> None:
        pages = Pages()
        asking = await _ask(Door(pages), _scope())
        await _looked(pages, 1)
        await asyncio.to_thread(publish, CHANNEL, "other")
        assert await asking.receive_nothing(timeout=0.5)
        assert pages.looks == 1
        await asking.send_input({"type": "http.disconnect"})
        await asking.wait(timeout=10)

    asyncio.run(go())


def test_at_the_end_of_the_time_it_is_told_that_nothing_changed() -> None:
    async def go() -> None:
        asking = await _ask(Door(Pages()), _scope("wait=1"))
        assert await _status(asking) == 304

    asyncio.run(go())


def test_without_redis_it_looks_by_itself(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    settings.CONFIG_PULL_LOOK_SECONDS = 1

    async def go() -> None:
        pages = Pages()
        asking = await _ask(Door(pages), _scope())
        await _looked(pages, 1)
        pages.changed = True
        assert await _status(asking) == 200

    asyncio.run(go())


def test_who_has_hung_up_waits_no_longer() -> None:
    async def go() -> None:
        pages = Pages()
        door = Door(pages)
        asking = await _ask(door, _scope("wait=60"))
        await _looked(pages, 1)
        await asking.send_input({"type": "http.disconnect"})
        await asking.wait(timeout=10)
        assert not door._waiting

    asyncio.run(go())


@pytest.mark.parametrize(
    "scope",
    [
        _scope(""),
        _scope("wait=0"),
        _scope("wait=-5"),
        _scope("wait=1e9"),
        _scope("wait=20", "/api/v1/hosts/"),
        _scope() | {"method": "POST"},
    ],
)
def test_everything_else_is_passed_on_at_once(scope: Any) -> None:
    async def go() -> None:
        asking = await _ask(Door(Pages()), scope)
        assert await _status(asking, 5) == 304

    asyncio.run(go())


def test_only_so_many_wait_and_the_others_are_told_at_once(settings: Any) -> None:
    settings.CONFIG_PULL_WAITERS_PER_TOKEN = 2

    async def go() -> None:
        pages = Pages()
        door = Door(pages)
        waiting = [await _ask(door, _scope()) for _number in range(2)]
        await _looked(pages, 2)
        third = await _ask(door, _scope())
        assert await _status(third, 5) == 304
        for each in waiting:
            await each.send_input({"type": "http.disconnect"})
            await each.wait(timeout=10)

    asyncio.run(go())


def test_three_hundred_wait_in_one_process_and_all_are_told(settings: Any) -> None:
    settings.CONFIG_PULL_WAITERS_PER_TOKEN = 400

    async def go() -> None:
        pages = Pages()
        door = Door(pages)
        asking = [await _ask(door, _scope("wait=40")) for _number in range(300)]
        await _looked(pages, 300)
        assert pages.inside == 0
        pages.changed = True
        await asyncio.to_thread(publish, CHANNEL, "shop")
        assert [await _status(each) for each in asking] == [200] * 300

    asyncio.run(go())
