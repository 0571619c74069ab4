"""What agents are told before Django is asked: the words of refusals, and how an answer is sent."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from adminset import context
from adminset.errors import DomainError, Unavailable

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def headers_of(error: DomainError) -> list[tuple[bytes, bytes]]:
    """Say when to come again, and whether what is left of the body is waited for."""
    headers = []
    if error.retry_after:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    # It is not: others need the connection.
    if error.status in {408, 413, 429, 503}:
        headers.append((b"connection", b"close"))
    return headers


async def send_answer(
    send: Send, status: int, body: Any, more: list[tuple[bytes, bytes]]
) -> None:
    """Send an answer."""
    text = msgspec.json.encode(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
        (b"x-request-id", context.current.get().request_id.encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


BROKEN = DomainError(
    "The portal could not take this report.", "Its log says why.", code="internal"
).as_envelope()


def too_slow() -> DomainError:
    """Say that a body did not come in time."""
    return DomainError(
        "The report took too long to arrive.",
        "Send it again.",
        code="too_slow",
        status=408,
        retry_after=10,
    )


def no_database() -> Unavailable:
    """Say that nobody can be recognised at this moment."""
    return Unavailable(
        "The database does not answer.",
        "Send this one again in a while.",
        code="database_unavailable",
        retry_after=10,
    )
