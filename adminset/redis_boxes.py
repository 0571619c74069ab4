"""Boxes in Redis through which processes hand each other bytes at once: a stream for each, read by one process, gone with it."""

import functools
import secrets
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as LaterRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

# Windows of bytes keep a box small; this does where somebody sends bytes one by one.
MOST_PIECES = 20_000
# Pieces of one look; a look waits for the first one so long.
AT_ONCE = 16
LOOK_MILLISECONDS = 1000
# Connections of one process; two of them wait.
CONNECTIONS = 32
START = "0-0"
FIELD = b"d"
# A piece whose answer was lost is not sent twice.
_OPTIONS: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 3}


@functools.cache
def client() -> redis.Redis:
    """Give this process's client for bytes."""
    retry = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(settings.REDIS_URL, retry=retry, **_OPTIONS)


def client_of_loop() -> Any:
    """Give a client for the event loop that runs; whoever asked closes it, and its pool."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=CONNECTIONS,
        timeout=_OPTIONS["socket_timeout"],
        retry=LaterRetry(NoBackoff(), 0),
        **_OPTIONS,
    )
    return redis.asyncio.Redis.from_pool(pool)


def new_box() -> str:
    """Name a box that nobody else has."""
    return f"adminset:box:{secrets.token_hex(16)}"


def keep(pipe: Any, box: str, seconds: int, *, new: bool = False) -> None:
    """Have a pipeline make one's own box, or keep it for further seconds: whoever writes there sees by it that one lives."""
    if new:
        pipe.xadd(box, {FIELD: b""})
    pipe.expire(box, seconds)


def put(client: Any, box: str, piece: bytes) -> Any:
    """Put a piece into a box; gives (for a loop's client: when it is awaited) None where nobody reads it any more."""
    return client.xadd(
        box, {FIELD: piece}, maxlen=MOST_PIECES, approximate=True, nomkstream=True
    )


def look(pipe: Any, box: str, after: str) -> None:
    """Have a pipeline wait for what comes behind a place, and forget what stood up to there."""
    moment, _, number = after.partition("-")
    pipe.xtrim(box, minid=f"{moment}-{int(number) + 1}", approximate=False)
    pipe.xread({box: after}, count=AT_ONCE, block=LOOK_MILLISECONDS)


def found(answers: list[Any], after: str) -> tuple[str, list[bytes]]:
    """Read the answers to `look`: up to where one has seen, and the pieces."""
    boxes = answers[-1]
    if not boxes:
        return after, []
    _box, entries = boxes[0]
    pieces = [fields[FIELD] for _place, fields in entries if fields[FIELD]]
    return entries[-1][0].decode(), pieces
