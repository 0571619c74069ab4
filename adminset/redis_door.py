"""The one place that speaks to Redis directly: signs of life, live lines, leases by name."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings


@functools.cache
def client() -> redis.Redis:
    """Give this process's client: short time-outs, because a page waits for it."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=2,
        socket_connect_timeout=1,
        decode_responses=True,
    )


def publish(channel: str, text: str) -> None:
    """Tell whoever listens; a Redis that is away costs the live view only, the file on disk is the truth."""
    try:
        client().publish(channel, text)
    except redis.RedisError:
        return


@contextmanager
def lease(name: str, seconds: int) -> Iterator[bool]:
    """Hold a name for at most some seconds; yields False where somebody else holds it.

    For work that must not run twice at once but may safely run again (clean-ups, roll-ups).
    """
    lock = client().lock(f"adminset:lease:{name}", timeout=seconds, blocking=False)
    held = lock.acquire()
    try:
        yield held
    finally:
        if held and lock.owned():
            lock.release()


def note(name: str, text: str, seconds: int) -> None:
    """Leave a word for others for some seconds; a Redis that is away costs the word only."""
    try:
        client().set(f"adminset:note:{name}", text, ex=seconds)
    except redis.RedisError:
        return


def noted(name: str) -> str:
    """Give the word that was left under a name, "" where there is none."""
    try:
        return str(client().get(f"adminset:note:{name}") or "")
    except redis.RedisError:
        return ""
