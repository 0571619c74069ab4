"""One agent, or a crowd that proves nothing, must not take the intake from the others."""

import asyncio
import gzip
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from adminset.errors import DomainError
from cmdb.services.agents import AgentIdentity
from monitor import agent_auth
from monitor import body as body_module
from monitor.agent_door import Door
from monitor.agent_load import Misses, Shares
from tests.monitor.at_the_door import AGENT, Store, ask, body_of, pages, stand_in

OTHER = replace(AGENT, pk=2, host_id=8)
UNKNOWN = DomainError("Unknown.", code="unknown_agent", status=401)
Proved = AgentIdentity | DomainError


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    return stand_in(monkeypatch)


def bearer(token: str) -> dict[str, Any]:
    return {"headers": [(b"authorization", f"Bearer {token}".encode())]}


@pytest.fixture
def prove(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have nobody remembered, and whoever asks judged so; gives what was asked."""

    def judge(by: Callable[[str], Proved]) -> list[str]:
        asked: list[str] = []

        def many(headers: Sequence[str]) -> list[Proved]:
            asked.extend(headers)
            return [by(header) for header in headers]

        monkeypatch.setattr(agent_auth, "recall", lambda _header: None)
        monkeypatch.setattr(agent_auth, "prove_many", many)
        return asked

    return judge


def test_one_agent_has_so_many_reports_on_their_way_and_no_more(
    store: Store, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTAKE_REQUESTS_PER_AGENT = 2

    async def crowd() -> tuple[Any, int, int]:
        door = Door(pages)
        slow = [asyncio.create_task(ask(door, [])) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await ask(door, [body_of()])
        monkeypatch.setattr(agent_auth, "recall", lambda _header: OTHER)
        other = (await ask(door, [body_of()]))[0]
        monkeypatch.setattr(agent_auth, "recall", lambda _header: AGENT)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return refused, other, (await ask(door, [body_of()]))[0]

    (status, said, headers), other, later = asyncio.run(crowd())
    assert (status, said["error"]["code"]) == (429, "too_many_at_once")
    assert int(headers[b"retry-after"]) > 0
    assert (other, later) == (200, 200)


def test_the_bytes_of_one_agent_are_bounded_where_it_has_several_reports() -> None:
    shares = Shares(most_requests=3, most_bytes=100)
    shares.enter(1)
    shares.hold(1, 500)
    with pytest.raises(DomainError) as second:
        shares.enter(1)
    assert second.value.status == 429
    shares.enter(2)
    shares.hold(2, 50)
    shares.enter(2)
    with pytest.raises(DomainError):
        shares.hold(2, 60)
    shares.leave(2, 60)
    shares.leave(2, 50)
    shares.leave(1, 500)
    assert shares.shares == {}


def test_what_is_refused_by_its_size_leaves_nothing_counted(
    store: Store, settings: Any
) -> None:
    settings.INTAKE_MAX_BYTES = 1000

    async def once() -> tuple[int, int, int, Any]:
        door = Door(pages)
        status = (await ask(door, [b" " * 5000]))[0]
        return status, door.load.bytes, door.load.requests, door._shares.shares

    assert asyncio.run(once()) == (503, 0, 0, {})


def test_a_crowd_of_strangers_waits_apart_and_known_agents_go_on(
    store: Store,
    settings: Any,
    prove: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.INTAKE_MAX_UNPROVED = settings.INTAKE_MAX_REQUESTS = 3
    gate = threading.Event()

    def judge(header: str) -> Proved:
        if "known" in header:
            return AGENT
        gate.wait(10)
        return UNKNOWN

    prove(judge)

    async def crowd() -> tuple[int, list[int], int, list[int]]:
        door = Door(pages)
        first = (await ask(door, [body_of()], **bearer("known")))[0]
        strangers = [
            asyncio.create_task(ask(door, [body_of()], **bearer(f"junk{n}")))
            for n in range(3)
        ]
        await asyncio.sleep(0)
        more = [(await ask(door, [body_of()], **bearer("x")))[0] for _ in range(3)]
        # One that has to prove itself again has its place, and one that is remembered needs none.
        again = asyncio.create_task(ask(door, [body_of()], **bearer("known")))
        await asyncio.sleep(0)
        monkeypatch.setattr(agent_auth, "recall", lambda _header: OTHER)
        remembered = (await ask(door, [body_of()]))[0]
        gate.set()
        ended = await asyncio.gather(again, *strangers)
        return first, more, remembered, [each[0] for each in ended]

    first, more, remembered, ended = asyncio.run(crowd())
    assert (first, remembered) == (200, 200)
    assert more == [503] * 3
    assert ended == [200, 401, 401, 401]


def test_guesses_from_one_address_are_not_even_looked_at_after_some(
    store: Store, settings: Any, prove: Callable[..., list[str]]
) -> None:
    settings.INTAKE_MISSES_PER_ADDRESS = 3
    asked = prove(lambda header: AGENT if "known" in header else UNKNOWN)

    async def guesses() -> tuple[list[int], int, int]:
        door = Door(pages)
        assert (await ask(door, [body_of()], **bearer("known")))[0] == 200
        found = [
            (await ask(door, [body_of()], **bearer(f"junk{n}")))[0] for n in range(6)
        ]
        elsewhere = bearer("junk") | {"client": ("192.0.2.2", 1)}
        other = (await ask(door, [body_of()], **elsewhere))[0]
        return found, other, (await ask(door, [body_of()], **bearer("known")))[0]

    found, other, known = asyncio.run(guesses())
    assert found == [401, 401, 401, 429, 429, 429]
    assert (other, known) == (401, 200)
    assert len([header for header in asked if "junk" in header]) == 4


def test_misses_of_an_ipv6_network_count_together() -> None:
    misses = Misses(most=2)
    misses.add("2001:db8::1")
    misses.add("2001:db8::ffff:1")
    with pytest.raises(DomainError) as refused:
        misses.check("2001:db8::2")
    assert (refused.value.status, refused.value.retry_after) == (429, 60)
    misses.check("2001:db8:0:1::2")
    for address in ("::ffff:192.0.2.1", "192.0.2.7", "", "no:address"):
        misses.check(address)


def test_a_small_body_that_becomes_large_is_inflated_and_read_beside_the_loop(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def inflate(body: bytes, encoding: str, bounds: Any) -> bytes:
        found = body_module.inflate(body, encoding, bounds)
        threads.append(threading.current_thread().name)
        return found

    monkeypatch.setattr("monitor.agent_door.inflate", inflate)
    body = gzip.compress(body_of() + b" " * 2_000_000)
    assert len(body) < 4000
    zipped = (b"content-encoding", b"gzip")
    assert asyncio.run(ask(Door(pages), [body], zipped))[0] == 200
    assert asyncio.run(ask(Door(pages), [gzip.compress(body_of())], zipped))[0] == 200
    assert [name.startswith("agents-read") for name in threads] == [True, False]
