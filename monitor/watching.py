"""Which hosts somebody looks at now: their agents are asked for a sample each second."""

import threading
import time

from adminset import redis_door

WATCH_SECONDS = 30
# Each process asks this often, not for every report.
LOOK_SECONDS = 1.0
NAME = "adminset:watched"

# Held by the one that asks.
_asking = threading.Lock()
_seen: tuple[float, dict[int, float]] = (float("-inf"), {})


def watch(host_id: int) -> None:
    """Note for half a minute that somebody looks at a host; a page says so again while it is open."""
    redis_door.keep_until(NAME, str(host_id), time.time() + WATCH_SECONDS)


def was_watched(host_id: int) -> bool:
    """Say whether somebody looks at a host, by the last look of this process, however long ago; asks nobody."""
    return _seen[1].get(host_id, 0.0) > time.time()


def look_beside() -> None:
    """Have somebody else ask, once a second at most: reports do not wait for a Redis that swallows what it is asked."""
    if not _is_due() or not _asking.acquire(blocking=False):
        return
    try:
        threading.Thread(target=_ask, name="watching", daemon=True).start()
    except RuntimeError:
        _asking.release()
        raise


def _ask() -> None:
    try:
        look()
    finally:
        _asking.release()


def look() -> None:
    """Ask who is watched; a Redis that is away means nobody."""
    global _seen
    found = redis_door.kept_after(NAME, time.time())
    _seen = (time.monotonic(), {int(host): until for host, until in found.items()})


def _is_due() -> bool:
    return time.monotonic() - _seen[0] >= LOOK_SECONDS


def forget() -> None:
    """Ask anew at the next question."""
    global _seen
    _seen = (float("-inf"), {})
