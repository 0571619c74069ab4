"""Lets programs wait for something new: so many at once in a process, without a database connection, and no longer than they asked for."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import connection

LONGEST_SECONDS = 30.0
# Sizes of files are looked at so often, the database not as often.
GLANCE_SECONDS = 0.25
LOOK_SECONDS = 1.0
Found = TypeVar("Found")

_lock = threading.Lock()
_waiting = 0


def patiently(
    look: Callable[[], tuple[Found, bool]],
    grew: Callable[[Found], bool],
    seconds: float,
) -> Found:
    """Look until there is something to tell, `seconds` at most; where too many wait already, once.

    Args:
        look: asks the database and the files; gives (what was found, whether that is worth telling).
        grew: glances at the files alone: whether there is more than what was found.
    """
    found, something = look()
    if something or seconds <= 0 or not _enter():
        return found
    try:
        until = time.monotonic() + min(seconds, LONGEST_SECONDS)
        while not something and time.monotonic() < until:
            _rest(grew, found, until)
            found, something = look()
        return found
    finally:
        _leave()


def _rest(grew: Callable[[Found], bool], found: Found, until: float) -> None:
    """Do nothing for a second, or until a file grew."""
    if not connection.in_atomic_block:
        # Others need it more than one who sleeps.
        connection.close()
    awake = min(time.monotonic() + LOOK_SECONDS, until)
    while (left := awake - time.monotonic()) > 0:
        time.sleep(min(GLANCE_SECONDS, left))
        if grew(found):
            return


def _enter() -> bool:
    global _waiting
    with _lock:
        if _waiting >= settings.RUN_API_WAITERS:
            return False
        _waiting += 1
        return True


def _leave() -> None:
    global _waiting
    with _lock:
        _waiting -= 1
