"""What tests of the agents' door share: a stand-in for the store, and a way to post as uvicorn does."""

import asyncio
import json
import time
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest

from cmdb.services.agents import AgentIdentity
from monitor import agent_auth, reception
from monitor.agent_door import Door
from monitor.grouped_writes import Group
from monitor.reception import Write

AGENT = AgentIdentity(pk=1, host_id=7, public_id="a" * 32, boot_id="b")
BEARER = (b"authorization", b"Bearer aaaa.secret")


class Store:
    """Takes what is written, or refuses it."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.error: Exception | None = None

    def __call__(self, writes: Sequence[Write]) -> list[list[str]]:
        if self.error is not None:
            raise self.error
        self.writes += writes
        return [["stored"] * len(each.samples) for each in writes]


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Know an agent, with a store that takes all; nothing waits for SQL."""
    made = Store()
    group: Group[Write, Any] = Group("test", made, window=0, spares=lambda _e: False)
    monkeypatch.setattr(reception, "group", lambda: group)
    monkeypatch.setattr(agent_auth, "recall", lambda _header: AGENT)
    monkeypatch.setattr(reception, "note", lambda *_told: True)
    monkeypatch.setattr(reception, "is_pace_known", lambda _host_id: True)
    return made


def body_of(*samples: dict[str, Any], **more: Any) -> bytes:
    now = time.time()
    one = {"seq": 1, "time": now, "values": {"load.1": 0.5}}
    sent = {"boot_id": "b", "sent_at": now, "samples": list(samples) or [one]}
    return json.dumps(sent | more).encode()


async def ask(
    door: Door, chunks: list[bytes], *headers: tuple[bytes, bytes], **scope: Any
) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """Post as uvicorn does; where the chunks end without a last one, nothing more comes."""
    sent: list[dict[str, Any]] = []
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    asked = {
        "type": "http",
        "method": "POST",
        "path": "/api/agent/v1/metrics",
        "headers": [BEARER, *headers],
        "client": ("192.0.2.1", 1),
    } | scope
    await door(asked, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


async def pages(scope: Any, _receive: Any, send: Any) -> None:
    """What stands behind the door."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})
