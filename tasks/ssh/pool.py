"""Connections that wait for their next use: by host, login, accepted key and way there, for a short time, in this process only."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from tasks.ssh.connect import Connection, connect
from tasks.ssh.keyring import proof_of
from tasks.ssh.ways import Dial, Patience
from tasks.targets import Target

# A connection that was idle has so long to show that it is still there.
CHECK_SECONDS = 3.0


@dataclass(frozen=True)
class Key:
    """What must be the same for a connection to be used again."""

    address: str
    port: int
    user: str
    proof: bytes
    host_key: str | None
    jump: Key | None
    # Networks of two sites may have the same addresses.
    queue: str = ""


def key_of(target: Target) -> Key:
    """Give the key of the connections to a target."""
    jump = key_of(target.jump) if target.jump else None
    login = target.login
    proof = proof_of(login)
    place = (target.address, target.port)
    return Key(*place, login.user, proof, target.host_key, jump, target.queue)


@dataclass(frozen=True)
class _Idle:
    key: Key
    connection: Connection
    since: float


class Pool:
    """Idle connections, oldest first: at most SSH_POOL_MOST, each for SSH_POOL_SECONDS."""

    def __init__(self) -> None:
        self._inherited: list[_Idle] = []
        self._idle: list[_Idle] = []
        self._changed = threading.Condition()
        self._janitor: threading.Thread | None = None

    def take(self, key: Key) -> Connection | None:
        """Give a connection that still answers, with its next channel open; the pool has it no more."""
        while found := self._pop(key):
            if found.alive and found.check(CHECK_SECONDS):
                return found
            found.close()
        return None

    def give(self, key: Key, connection: Connection) -> None:
        """Keep a connection for its next use, or close it where it cannot be kept."""
        fit = connection.sound and connection.alive and not connection.crowded
        if not fit or not settings.SSH_POOL_SECONDS or not settings.SSH_POOL_MOST:
            connection.close()
            return
        with self._changed:
            self._idle.append(_Idle(key, connection, time.monotonic()))
            beyond = max(len(self._idle) - settings.SSH_POOL_MOST, 0)
            surplus, self._idle = self._idle[:beyond], self._idle[beyond:]
            self._watch()
        for one in surplus:
            one.connection.close()

    def evict_behind(self, jump: Key) -> bool:
        """Close the oldest idle connection through a jump host; False where there is none."""
        with self._changed:
            found = next((one for one in self._idle if one.key.jump == jump), None)
            if found:
                self._idle.remove(found)
        if found:
            found.connection.close()
        return found is not None

    def close(self) -> None:
        """Close all that is idle."""
        with self._changed:
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for one in idle:
            one.connection.close()

    def forget(self) -> None:
        """In a process that was just forked off: leave the connections to the one that opened them."""
        # Collected as garbage they would still say good-bye on its behalf.
        self._inherited, self._idle = [*self._inherited, *self._idle], []
        self._changed = threading.Condition()
        self._janitor = None

    def __len__(self) -> int:
        return len(self._idle)

    def _pop(self, key: Key) -> Connection | None:
        with self._changed:
            for one in reversed(self._idle):
                if one.key == key:
                    self._idle.remove(one)
                    return one.connection
        return None

    def _watch(self) -> None:
        if self._janitor is None:
            self._janitor = threading.Thread(
                target=self._sweep, name="ssh-pool", daemon=True
            )
            self._janitor.start()

    def _sweep(self) -> None:
        """Close each connection when its time is over; end with the last one."""
        while True:
            with self._changed:
                if not self._idle:
                    self._janitor = None
                    return
                left = self._idle[0].since + settings.SSH_POOL_SECONDS
                left -= time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                expired = self._idle.pop(0)
            expired.connection.close()


POOL = Pool()
atexit.register(POOL.close)
os.register_at_fork(after_in_child=POOL.forget)


@contextmanager
def connected(target: Target, patience: Patience, dial: Dial) -> Iterator[Connection]:
    """Give a connection to a host, a kept one where there is one; it is kept afterwards unless it is not sound any more.

    Raises:
        HostRefusedError: a sentence that says what stands in the way.
    """
    key = key_of(target)
    connection = POOL.take(key) or connect(target, patience, dial)
    # The connection is the same, but what it is called and how one becomes root there may have changed.
    connection.target = target
    try:
        yield connection
    except BaseException:
        connection.sound = False
        raise
    finally:
        POOL.give(key, connection)
