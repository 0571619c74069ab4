"""Stops a request whose body is too large while it arrives, before anything of it is kept."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

# Python refuses to read a number of some thousand digits, and nobody needs one.
MOST_DIGITS = 19
ENVELOPE = {
    "error": {
        "code": "too_large",
        "message": "The body is too large.",
        "hint": "Send less at once.",
        "fields": {},
    }
}


class _TooLargeError(Exception):
    """More came than may come."""


def bounded(application: Application) -> Application:
    """Wrap an ASGI application so that a body over its limit is answered with 413."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        limit = limit_of(scope["path"])
        if _announced(scope) > limit:
            await _refuse(send)
            return
        try:
            await application(scope, _counting(receive, limit), send)
        except _TooLargeError:
            await _refuse(send)

    return wrapped


def limit_of(path: str) -> int:
    """Say how many bytes may be sent to a path."""
    agents = path.startswith("/api/agent/")
    return (
        settings.AGENT_MAX_BODY_BYTES
        if agents
        else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )


def _announced(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return length_of(value.decode("latin-1"))


def length_of(header: str) -> int:
    """Read a Content-Length, 0 where it is none; of a number with more digits than any body has, only the first count."""
    digits = header.lstrip("0")[:MOST_DIGITS]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _counting(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _TooLargeError
        return message

    return counted


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(ENVELOPE).encode()})
