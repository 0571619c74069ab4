"""Which remote-written metrics a host has, for lists to choose from: noted in Redis, a hint that may be gone."""

import threading
import time
from collections.abc import Iterable, Mapping

import redis

from adminset import redis_door
from monitor.prometheus.names import CUSTOM

KEY = "adminset:prom:names:"
KEPT_SECONDS = 7 * 86_400
# What this process noted is noted again after so long, so that names in use do not expire.
AGAIN_SECONDS = 3600
MOST_HOSTS = 20_000

_lock = threading.Lock()
_noted: dict[int, tuple[float, set[str]]] = {}


def forget() -> None:
    """Note everything anew."""
    with _lock:
        _noted.clear()


def note(names: Mapping[int, Iterable[str]]) -> None:
    """Note the metrics of hosts; a Redis that is away costs the list only.

    Args:
        names: host id -> names of values as stored.
    """
    fresh = {host_id: _fresh(host_id, listed) for host_id, listed in names.items()}
    fresh = {host_id: metrics for host_id, metrics in fresh.items() if metrics}
    if not fresh:
        return
    try:
        pipe = redis_door.client().pipeline(transaction=False)
        for host_id, metrics in fresh.items():
            pipe.sadd(f"{KEY}{host_id}", *sorted(metrics))
            pipe.expire(f"{KEY}{host_id}", KEPT_SECONDS)
        pipe.execute()
    except redis.RedisError:
        forget()


def _fresh(host_id: int, names: Iterable[str]) -> set[str]:
    metrics = {name.partition("|")[0].removeprefix(CUSTOM) for name in names}
    now = time.monotonic()
    with _lock:
        if len(_noted) > MOST_HOSTS:
            _noted.clear()
        since, known = _noted.get(host_id, (now, set()))
        if now - since > AGAIN_SECONDS:
            since, known = now, set()
        fresh = metrics - known
        _noted[host_id] = (since, known | fresh)
    return fresh


def noted(host_ids: Iterable[int]) -> set[str]:
    """Give the remote-written metrics of hosts, as their senders call them."""
    try:
        pipe = redis_door.client().pipeline(transaction=False)
        for host_id in host_ids:
            pipe.smembers(f"{KEY}{host_id}")
        return {str(name) for found in pipe.execute() for name in found}
    except redis.RedisError:
        return set()
