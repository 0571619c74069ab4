"""Which hosts somebody looks at now: their agents are asked for a sample each second."""

import threading
import time

from adminset import redis_door

WATCH_SECONDS = 30
# Each process asks this often, not for every report.
LOOK_SECONDS = 1.0
NAME = "adminset:watched"

_lock = threading.Lock()
_seen: tuple[float, dict[int, float]] = (0.0, {})


def watch(host_id: int) -> None:
    """Note for half a minute that somebody looks at a host; a page says so again while it is open."""
    redis_door.keep_until(NAME, str(host_id), time.time() + WATCH_SECONDS)


def is_watched(host_id: int) -> bool:
    """Say whether somebody looks at a host, by what this process saw a second ago; a Redis that is away means nobody."""
    look()
    return was_watched(host_id)


def was_watched(host_id: int) -> bool:
    """Say the same by the last look of this process, however long ago; asks nobody."""
    return _seen[1].get(host_id, 0.0) > time.time()


def look() -> None:
    """Ask who is watched, once a second at most."""
    global _seen
    with _lock:
        if time.monotonic() - _seen[0] < LOOK_SECONDS:
            return
        found = redis_door.kept_after(NAME, time.time())
        hosts = {int(host): until for host, until in found.items()}
        _seen = (time.monotonic(), hosts)


def forget() -> None:
    """Ask anew at the next question."""
    global _seen
    _seen = (0.0, {})
