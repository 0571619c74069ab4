"""Sends ready-made requests over kept connections as fast as they are answered, with as little work of its own as may be."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What came of a load: seconds that each counted request took, how long all took, and answers that were not 200."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: dict[int, int] = field(default_factory=dict)
    words: bytes = b""


def drive(
    port: int,
    requests: Iterator[bytes],
    *,
    connections: int,
    warm_up: float,
    seconds: float,
) -> Outcome:
    """Send requests until the time is over or there are none left; those of the warm-up are not counted."""
    outcome = Outcome()
    asyncio.run(_drive(port, requests, outcome, connections, warm_up, seconds))
    return outcome


async def _drive(
    port: int,
    requests: Iterator[bytes],
    outcome: Outcome,
    connections: int,
    warm_up: float,
    seconds: float,
) -> None:
    start = time.monotonic()
    counted, end = start + warm_up, start + warm_up + seconds
    clients = [
        _client(port, requests, outcome, counted, end) for _ in range(connections)
    ]
    await asyncio.gather(*clients)
    outcome.seconds = time.monotonic() - counted


async def _client(
    port: int,
    requests: Iterator[bytes],
    outcome: Outcome,
    counted: float,
    end: float,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in requests:
            before = time.monotonic()
            if before >= end:
                return
            writer.write(request)
            status, body = await _answer(reader)
            if status >= 300:
                outcome.refused[status] = outcome.refused.get(status, 0) + 1
                outcome.words = body
            elif before >= counted:
                outcome.latencies.append(time.monotonic() - before)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    body = await reader.readexactly(int(length))
    return int(head.split(b" ", 2)[1]), body


def request(path: str, body: bytes, token: str = "", encoding: str = "gzip") -> bytes:
    """Make the bytes of a POST."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if encoding:
        lines.append(f"Content-Encoding: {encoding}")
    return "\r\n".join([*lines, "", ""]).encode() + body
