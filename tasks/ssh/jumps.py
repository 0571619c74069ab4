"""The way to hosts behind a jump host: one shared connection to it, so many channels at once, left alone when it is down."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from tasks.sites.relay import dial_relay
from tasks.ssh.breakers import Breaker
from tasks.ssh.connect import FAILURES, Channel, Connection, connect
from tasks.ssh.pool import POOL, Key, key_of
from tasks.ssh.ways import Patience, dial_directly
from tasks.ssh.words import tunnel_sentence
from tasks.targets import HostRefusedError, Login, Target

LOOK_SECONDS = 0.25


class JumpSocket:
    """A channel through a jump host in the guise of a socket; its place there is free again when it closes."""

    def __init__(self, gateway: Gateway, channel: Channel) -> None:
        self._gateway = gateway
        self._channel = channel
        self._freed = threading.Lock()
        self.send: Callable[[bytes], int] = channel.send
        self.recv: Callable[[int], bytes] = channel.recv
        self.settimeout: Callable[[float], None] = channel.settimeout

    @property
    def crowded(self) -> bool:
        """Whether others wait for a place."""
        return self._gateway.waiting > 0

    @property
    def _closed(self) -> bool:
        return self._channel.closed

    def close(self) -> None:
        """Close the channel and give its place back, once."""
        self._channel.close()
        if self._freed.acquire(blocking=False):
            self._gateway.release()
            _leave(self._gateway)


class Gateway:
    """One jump host with one login: its connection, its places, who waits for them. It is there while somebody uses it."""

    def __init__(self, jump: Target, key: Key, breaker: Breaker) -> None:
        self.waiting = 0
        self.taken = 0
        # Those who wait for a place as well; only `_enter` and `_leave` change it.
        self.users = 0
        self.key = key
        self.breaker = breaker
        self._jump = jump
        self._changed = threading.Condition()
        self._connection: Connection | None = None
        self._trying = False
        self._tries = 0
        self._failure: HostRefusedError | None = None

    def open(self, target: Target, patience: Patience) -> JumpSocket:
        """Give a way to a host; raises HostRefusedError, which names the jump host where it is to blame."""
        self.breaker.ask()
        self._take_place(target, patience)
        try:
            return JumpSocket(self, self._tunnel(target, patience))
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give a place back; with the last one the connection goes to the pool."""
        with self._changed:
            self.taken -= 1
            done = None
            if not self.taken:
                done, self._connection = self._connection, None
            self._changed.notify()
        if done is not None:
            POOL.give(self.key, done)

    def _take_place(self, target: Target, patience: Patience) -> None:
        while True:
            with self._changed:
                if self.taken < settings.SSH_JUMP_MOST:
                    self.taken += 1
                    return
            if POOL.evict_behind(self.key):
                continue
            with self._changed:
                self.waiting += 1
                if self.taken >= settings.SSH_JUMP_MOST:
                    self._changed.wait(LOOK_SECONDS)
                self.waiting -= 1
            if patience.cancelled():
                raise HostRefusedError(
                    f"Cancelled while {target.label} waited for a place at the jump "
                    f"host {self._jump.label}."
                )

    def _tunnel(self, target: Target, patience: Patience) -> Channel:
        connection = self._live(patience)
        try:
            return connection.tunnel(target.address, target.port, patience.seconds)
        except FAILURES as error:
            if connection.alive:
                words = tunnel_sentence(error, target, self._jump, patience.seconds)
                raise HostRefusedError(words) from error
        try:
            fresh = self._live(patience)
            return fresh.tunnel(target.address, target.port, patience.seconds)
        except FAILURES as error:
            words = tunnel_sentence(error, target, self._jump, patience.seconds)
            raise HostRefusedError(words) from error

    def _live(self, patience: Patience) -> Connection:
        """Give the connection to the jump host: the one there is, or one that a single thread opens for all who wait."""
        with self._changed:
            if self._connection is not None and self._connection.alive:
                return self._connection
            mine = not self._trying
            self._trying = True
            number = self._tries
        return self._try(patience) if mine else self._await(number, patience)

    def _try(self, patience: Patience) -> Connection:
        failure, connection = None, None
        try:
            connection = POOL.take(self.key)
            if connection is None:
                connection = connect(self._jump, patience, dial)
            else:
                # What showed that it still answers is not needed here.
                connection.channel().close()
        except HostRefusedError as refused:
            failure = refused
        finally:
            with self._changed:
                self._connection = connection
                self._failure = failure
                self._trying = False
                self._tries += 1
                self._changed.notify_all()
        # The one who tried counts, and not each who waited for it.
        if connection is not None:
            self.breaker.worked()
        elif failure is not None:
            self.breaker.failed(str(failure))
        return self._judged(connection, failure)

    def _await(self, number: int, patience: Patience) -> Connection:
        # The one who tries has the same patience for each of its steps.
        deadline = time.monotonic() + 4 * patience.seconds
        with self._changed:
            while self._tries == number and time.monotonic() < deadline:
                self._changed.wait(LOOK_SECONDS)
                if patience.cancelled():
                    raise HostRefusedError(
                        f"Cancelled while the jump host {self._jump.label} was reached."
                    )
            connection, failure = self._connection, self._failure
        return self._judged(connection, failure)

    def _judged(
        self, connection: Connection | None, failure: HostRefusedError | None
    ) -> Connection:
        if connection is not None:
            return connection
        words = str(failure) if failure else f"{self._jump.label} is not reached yet."
        limit = failure.limit if failure else "connect"
        raise HostRefusedError(f"The jump host cannot be passed: {words}", limit)


_lock = threading.Lock()
_gateways: dict[Key, Gateway] = {}
# Of jump hosts that could not be reached: they outlive the gateway, and know no secret.
_breakers: dict[Key, Breaker] = {}


def _enter(jump: Target) -> Gateway:
    """Give the one gateway of this process to a jump host with this login; who gets it leaves it."""
    key = key_of(jump)
    with _lock:
        gateway = _gateways.get(key)
        if gateway is None:
            breaker = _breakers.get(key) or Breaker(_without_secrets(jump))
            gateway = _gateways[key] = Gateway(jump, key, breaker)
        gateway.users += 1
    return gateway


def _leave(gateway: Gateway) -> None:
    """Forget a gateway with its last user: the login in it is opened anew for the next one."""
    with _lock:
        gateway.users -= 1
        if gateway.users or _gateways.get(gateway.key) is not gateway:
            return
        del _gateways[gateway.key]
        if gateway.breaker.failing:
            _breakers[gateway.key] = gateway.breaker
        else:
            _breakers.pop(gateway.key, None)


def _without_secrets(jump: Target) -> Target:
    return replace(jump, login=Login(jump.login.user), variables={}, jump=None)


def dial(target: Target, patience: Patience) -> Any:
    """Give a socket to a host, or what behaves like one where it is reached through a jump host, or by workers of its site.

    Raises:
        HostRefusedError: a sentence that says what stands in the way.
    """
    if target.jump is None:
        begin = dial_relay if target.queue else dial_directly
        return begin(target, patience)
    gateway = _enter(target.jump)
    try:
        return gateway.open(target, patience)
    except BaseException:
        _leave(gateway)
        raise


def _forget() -> None:
    """In a process that was just forked off: know no gateway (those of the parent are kept from being collected)."""
    global _lock, _gateways, _breakers
    _inherited.append(_gateways)
    _lock, _gateways, _breakers = threading.Lock(), {}, {}


_inherited: list[dict[Key, Gateway]] = []
os.register_at_fork(after_in_child=_forget)
