"""The one place that speaks to Redis directly: signs of life, live lines, leases by name (streams of bytes: redis_boxes.py)."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@functools.cache
def client() -> redis.Redis:
    """Give this process's client: short time-outs, because a page waits for it."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=2,
        socket_connect_timeout=1,
        # The library's own default waits for seconds between ten tries.
        retry=Retry(NoBackoff(), 1),
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


def keep_until(name: str, member: str, moment: float) -> None:
    """Keep a word in a set until a moment (Unix seconds); a Redis that is away costs the word only."""
    try:
        with client().pipeline(transaction=False) as pipe:
            pipe.zadd(name, {member: moment})
            pipe.zremrangebyscore(name, "-inf", time.time())
            pipe.execute()
    except redis.RedisError:
        return


def keep_no_more(name: str, member: str) -> None:
    """Take a word out of such a set; a Redis that is away costs nothing, the word goes by itself."""
    try:
        client().zrem(name, member)
    except redis.RedisError:
        return


def kept_after(name: str, moment: float) -> dict[str, float]:
    """Give the words of a set that are kept beyond a moment, with until when; none where Redis is away."""
    try:
        found: Any = client().zrangebyscore(name, moment, "+inf", withscores=True)
    except redis.RedisError:
        return {}
    return dict(found)


def put_ticket(name: str, text: str, seconds: int) -> None:
    """Leave a text that is taken once, within some seconds.

    Raises:
        RedisError: it does not answer.
    """
    client().set(f"adminset:ticket:{name}", text, ex=seconds)


def take_ticket(name: str) -> str:
    """Take such a text, "" where there is none (any more): of several who come at once one gets it.

    Raises:
        RedisError: it does not answer.
    """
    return str(client().getdel(f"adminset:ticket:{name}") or "")


def listen(
    pattern: str, until: Callable[[], bool], heard: Callable[[str, str], None]
) -> None:
    """Hand on what is published on the channels of a pattern, until it is said to stop; looks at that once a second.

    Args:
        heard: gets the channel and the text.

    Raises:
        RedisError: it does not answer (any more).
    """
    with client().pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.psubscribe(pattern)
        while not until():
            message = pubsub.get_message(timeout=1)
            if message is not None:
                heard(str(message["channel"]), str(message["data"]))


def waiting(queue: str) -> int:
    """Count the tasks that wait in a queue of Celery's.

    Raises:
        RedisError: it does not answer.
    """
    return int(client().llen(queue))
