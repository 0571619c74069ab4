"""The door before Django: the same answers, no query for a known agent, and no more on its way than fits."""

import asyncio
import gzip
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adminset.errors import DomainError
from cmdb.services.agents import AgentIdentity
from monitor import agent_auth
from monitor.agent_door import Door
from monitor.store import StoreUnavailable
from tests.monitor.at_the_door import (
    AGENT,
    BEARER,
    Store,
    ask,
    body_of,
    pages,
    stand_in,
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Store:
    """A known agent that may do many things at once, and a store that takes all."""
    settings.INTAKE_REQUESTS_PER_AGENT = 100
    return stand_in(monkeypatch)


def post(
    *chunks: bytes, **scope: Any
) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """Ask a new door once."""
    return asyncio.run(ask(Door(pages), list(chunks), **scope))


def test_a_report_in_pieces_is_stored_and_answered(store: Store) -> None:
    whole = body_of()
    status, said, _headers = post(whole[:20], whole[20:30], whole[30:])
    assert status == 200
    assert said["results"] == [{"seq": 1, "status": "stored"}]
    assert said["settings"]["sample_seconds"]
    assert [each.host_id for each in store.writes] == [7]


@pytest.mark.parametrize(
    "scope",
    [
        {"path": "/api/agent/v1/enroll"},
        {"path": "/api/agent/v1/rotate"},
        {"path": "/api/agent/v1/metrics/"},
        {"path": "metrics"},
        {"path": "/"},
        {"method": "GET"},
        {"method": "OPTIONS"},
    ],
)
def test_everything_else_goes_on_to_django(store: Store, scope: dict[str, Any]) -> None:
    assert post(body_of(), **scope)[0] == 299
    assert store.writes == []


def test_a_store_that_is_away_is_503_for_each_who_waited(store: Store) -> None:
    store.error = StoreUnavailable("test")

    async def many() -> list[Any]:
        door = Door(pages)
        return await asyncio.gather(*(ask(door, [body_of()]) for _ in range(30)))

    for status, said, headers in asyncio.run(many()):
        assert status == 503
        assert said["error"]["code"] == "store_unavailable"
        assert int(headers[b"retry-after"]) > 0


def test_a_fault_of_ours_is_500_and_the_next_report_is_taken(store: Store) -> None:
    store.error = RuntimeError("a fault")
    status, said, _headers = post(body_of())
    assert (status, said["error"]["code"]) == (500, "internal")
    assert "fault" not in json.dumps(said)
    store.error = None
    assert post(body_of())[0] == 200


def test_more_requests_than_may_be_on_their_way_are_turned_away_unread(
    store: Store, settings: Any
) -> None:
    settings.INTAKE_MAX_REQUESTS = 3

    async def crowd() -> tuple[int, dict[bytes, bytes], int]:
        door = Door(pages)
        slow = [asyncio.create_task(ask(door, [])) for _ in range(3)]
        await asyncio.sleep(0)
        status, _said, headers = await ask(door, [])
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return status, headers, (await ask(door, [body_of()]))[0]

    status, headers, later = asyncio.run(crowd())
    assert status == 503
    assert int(headers[b"retry-after"]) > 0
    assert later == 200


def test_more_bytes_than_may_be_held_are_turned_away_before_they_are_all_there(
    store: Store, settings: Any
) -> None:
    settings.INTAKE_MAX_BYTES = 200_000
    chunks = [b" " * 50_000] * 5
    status, said, headers = post(*chunks)
    assert (status, said["error"]["code"]) == (503, "busy")
    assert headers[b"retry-after"]
    assert store.writes == []


def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    store: Store, settings: Any
) -> None:
    settings.INTAKE_BODY_SECONDS = 0.05
    status, said, _headers = post()
    assert (status, said["error"]["code"]) == (408, "too_slow")


def test_who_hangs_up_leaves_nothing_behind(store: Store) -> None:
    async def gone() -> tuple[list[Any], int]:
        door, sent = Door(pages), []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"method": "POST", "path": "/api/agent/v1/metrics", "headers": [BEARER]}
        await door(scope, receive, send)
        return sent, door.load.requests

    assert asyncio.run(gone()) == ([], 0)


def test_a_large_batch_is_read_beside_the_others(store: Store) -> None:
    now = time.time()
    values = {f"custom.m{n}|k={n}": float(n) for n in range(150)}
    samples = [{"seq": n, "time": now - n, "values": values} for n in range(1, 101)]
    status, said, _headers = asyncio.run(
        ask(
            Door(pages),
            [gzip.compress(body_of(*samples))],
            (b"content-encoding", b"gzip"),
        )
    )
    assert status == 200
    assert len(said["results"]) == 100


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([(b"content-encoding", b"br")], b"{}", 400),
        ([(b"content-encoding", b"gzip")], b"{}", 400),
        ([(b"content-length", b"99999999999")], b"", 413),
        ([], b"{}", 422),
        ([], b"\xff", 400),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    store: Store, headers: list[Any], body: bytes, status: int
) -> None:
    found, said, _headers = asyncio.run(ask(Door(pages), [body], *headers))
    assert found == status
    assert said["error"]["message"].endswith(".")


@hypothesis_settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    chunks=st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    encoding=st.sampled_from([b"", b"gzip", b"GZIP", b"deflate", b"\xff"]),
    token=st.binary(max_size=40),
)
def test_whatever_is_sent_is_answered_and_nothing_of_it_stored(
    store: Store, chunks: list[bytes], encoding: bytes, token: bytes
) -> None:
    headers = ((b"content-encoding", encoding), (b"authorization", token))
    status, said, _headers = asyncio.run(ask(Door(pages), chunks, *headers))
    assert 400 <= status < 500
    assert said["error"]["message"]
    assert store.writes == []


def test_unknown_agents_are_proved_beside_the_loop_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[list[str]] = []

    def prove(headers: Sequence[str]) -> list[AgentIdentity | DomainError]:
        groups.append(list(headers))
        return [AGENT for _ in headers]

    monkeypatch.setattr(agent_auth, "recall", lambda _header: None)
    monkeypatch.setattr(agent_auth, "prove_many", prove)

    async def all_at_once() -> list[int]:
        door = Door(pages)
        asked = [ask(door, [body_of()]) for _ in range(20)]
        return [status for status, _body, _headers in await asyncio.gather(*asked)]

    assert asyncio.run(all_at_once()) == [200] * 20
    assert [header for group in groups for header in group] == [
        "Bearer aaaa.secret"
    ] * 20
    assert len(groups) < 5


def test_one_agent_that_is_refused_takes_no_other_with_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = DomainError("Unknown.", code="unknown_agent", status=401)
    answers = iter([[refused], [AGENT]])
    monkeypatch.setattr(agent_auth, "recall", lambda _header: None)
    monkeypatch.setattr(agent_auth, "prove_many", lambda _headers: next(answers))
    assert post(body_of())[0] == 401
    assert store.writes == []
    assert post(body_of())[0] == 200
