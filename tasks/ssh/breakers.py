"""Circuit breakers: a jump host that cannot be reached is left alone for a while, and the hosts behind it are told at once."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.conf import settings

from adminset import redis_door
from adminset.redaction import clean
from tasks.targets import HostRefusedError, Target

SHARED = "adminset:ssh:breakers"
# A word that a person let a jump host be tried again is looked for so often.
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Tripped:
    """A jump host that is left alone until a moment (Unix seconds), by which worker process, and why."""

    address: str
    port: int
    user: str
    worker: str
    words: str
    until: float


class Breaker:
    """Counts the failures in a row to reach one jump host, in this process."""

    def __init__(self, jump: Target) -> None:
        self._jump = jump
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self._words = ""
        self._opened = self._looked = 0.0
        self._shown: tuple[str, ...] = ()

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def ask(self) -> None:
        """Let a host through, or refuse it while the jump host is left alone.

        When that time is over the next one tries, and with it whoever waits for the same connection.
        """
        with self._lock:
            left = self._open_until - time.monotonic()
            if left > 0 and self._closed_by_hand():
                self._failures, self._open_until, left = 0, 0.0, 0.0
            if left > 0:
                raise HostRefusedError(
                    f"The jump host {self._jump.label} could not be reached "
                    f"{self._failures} times in a row, so it is left alone for another "
                    f"{max(round(left), 1)} s: {self._words}"
                )

    def failed(self, words: str) -> None:
        """Note that an attempt to reach the jump host failed; `words` say why."""
        with self._lock:
            self._failures += 1
            self._words = words
            if self._failures < settings.SSH_BREAKER_FAILURES:
                return
            if self._open_until > time.monotonic():
                return
            seconds = settings.SSH_BREAKER_SECONDS
            self._open_until = time.monotonic() + seconds
            self._opened = time.time()
            self._show(time.time() + seconds)

    def worked(self) -> None:
        """Note that the jump host was reached."""
        with self._lock:
            self._failures, self._open_until = 0, 0.0
            hidden, self._shown = self._shown, ()
        for member in hidden:
            redis_door.keep_no_more(SHARED, member)

    def _closed_by_hand(self) -> bool:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        jump = self._jump
        word = redis_door.noted(_closed(jump.address, jump.port, jump.login.user))
        return bool(word) and float(word) >= self._opened

    def _show(self, until: float) -> None:
        jump, worker = self._jump, f"{socket.gethostname()}/{os.getpid()}"
        words = clean(self._words)[:500]
        state = Tripped(jump.address, jump.port, jump.login.user, worker, words, until)
        member = json.dumps(asdict(state), sort_keys=True)
        self._shown = (*self._shown, member)[-10:]
        redis_door.keep_until(SHARED, member, until)


def breakers() -> list[Tripped]:
    """Give the jump hosts that any worker leaves alone now; none where Redis is away."""
    return sorted(
        _read(redis_door.kept_after(SHARED, time.time())),
        key=lambda state: (state.address, state.port, state.worker),
    )


def close(address: str, port: int, user: str) -> int:
    """Let a jump host be tried again at once by all workers; give how many left it alone."""
    now = time.time()
    # Until every breaker that is open now would have closed by itself.
    seconds = settings.SSH_BREAKER_SECONDS + 1
    redis_door.note(_closed(address, port, user), str(now), seconds)
    closed = 0
    for member in redis_door.kept_after(SHARED, now):
        state = Tripped(**json.loads(member))
        if (state.address, state.port, state.user) == (address, port, user):
            redis_door.keep_no_more(SHARED, member)
            closed += 1
    return closed


def _closed(address: str, port: int, user: str) -> str:
    return f"ssh-breaker-closed:{address}:{port}:{user}"


def _read(members: Iterable[str]) -> list[Tripped]:
    return [Tripped(**json.loads(member)) for member in members]
