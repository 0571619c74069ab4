"""The way to hosts that only the workers of a site reach: a worker there opens the connection and passes its bytes on over Redis.

SSH is spoken by the portal, end to end: the worker and Redis see what any network between the two would see.
"""

from __future__ import annotations

import os
import secrets
import threading
import time

import redis
from django.conf import settings

from adminset import redis_boxes
from tasks.sites import relay_wire as wire
from tasks.sites.relay_socket import RelaySocket
from tasks.sites.relay_wire import Frame, Order
from tasks.ssh.ways import Patience
from tasks.targets import HostRefusedError, Target

# A worker that lives takes an order at once.
TAKE_SECONDS = 5.0
# For the way to the worker and back.
WAY_SECONDS = 2.0
AWAY = "The dispatcher (Redis) cannot be reached."


class Switchboard:
    """All connections of this process that go through workers: one box, one thread that reads it while there are any."""

    def __init__(self) -> None:
        self.box = ""
        self._lock = threading.Lock()
        self._sockets: dict[bytes, RelaySocket] = {}
        self._thread: threading.Thread | None = None

    def open(self) -> RelaySocket:
        """Give an end to which a worker can be called; raises RedisError."""
        key = secrets.token_bytes(wire.KEY_BYTES)
        sock = RelaySocket(key, settings.RELAY_BYTES, post, self._leave)
        with self._lock:
            if self._thread is None:
                self.box = redis_boxes.new_box()
                with redis_boxes.client().pipeline(transaction=False) as pipe:
                    seconds = settings.RELAY_LEASE_SECONDS
                    redis_boxes.keep(pipe, self.box, seconds, new=True)
                    pipe.execute()
                self._thread = threading.Thread(
                    target=self._read, name="relay", daemon=True
                )
                self._thread.start()
            self._sockets[key] = sock
        return sock

    def __len__(self) -> int:
        return len(self._sockets)

    def _leave(self, sock: RelaySocket) -> None:
        with self._lock:
            self._sockets.pop(sock.key, None)

    def _read(self) -> None:
        after, due = redis_boxes.START, 0.0
        try:
            while self._goes_on():
                if time.monotonic() >= due:
                    with self._lock:
                        sockets = list(self._sockets.values())
                    self._beat(sockets)
                    due = time.monotonic() + settings.RELAY_LEASE_SECONDS / wire.BEATS
                with redis_boxes.client().pipeline(transaction=False) as pipe:
                    redis_boxes.look(pipe, self.box, after)
                    after, pieces = redis_boxes.found(pipe.execute(), after)
                for piece in pieces:
                    self._hand_on(Frame.read(piece))
        except redis.RedisError:
            # What was on its way may be lost.
            self._end_all()

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._sockets:
                self._thread = None
            return self._thread is not None

    def _hand_on(self, frame: Frame) -> None:
        with self._lock:
            sock = self._sockets.get(frame.key)
        if sock is not None:
            sock.take(frame)

    def _beat(self, sockets: list[RelaySocket]) -> None:
        """Give a sign of life, and end what goes through workers that give none."""
        boxes = sorted({sock.box for sock in sockets if sock.box})
        with redis_boxes.client().pipeline(transaction=False) as pipe:
            redis_boxes.keep(pipe, self.box, settings.RELAY_LEASE_SECONDS)
            for box in boxes:
                pipe.exists(box)
            kept, *live = pipe.execute()
        if not kept:
            raise redis.RedisError("it has lost the box")
        gone = {box for box, lives in zip(boxes, live, strict=True) if not lives}
        for sock in sockets:
            if sock.box in gone:
                sock.end(wire.GONE)

    def _end_all(self) -> None:
        with self._lock:
            sockets, self._sockets, self._thread = self._sockets, {}, None
        for sock in sockets.values():
            sock.end(AWAY)


def post(box: str, frame: Frame) -> None:
    """Put a frame into a worker's box; raises RedisError."""
    if redis_boxes.put(redis_boxes.client(), box, frame.packed()) is None:
        raise redis.RedisError(wire.GONE)


def dial_relay(target: Target, patience: Patience) -> RelaySocket:
    """Have a worker of the target's queue open a connection; gives what behaves like its socket.

    Raises:
        HostRefusedError: no worker takes the order, the host cannot be reached from there, or Redis is away.
    """
    sock = None
    try:
        sock = BOARD.open()
        _order(sock, target, patience)
        _await(sock, target, patience)
    except redis.RedisError as error:
        if sock is not None:
            sock.close()
        raise HostRefusedError(AWAY) from error
    except BaseException:
        if sock is not None:
            sock.close()
        raise
    return sock


def _order(sock: RelaySocket, target: Target, patience: Patience) -> None:
    order = Order(
        sock.key.hex(),
        target.queue,
        target.address,
        target.port,
        target.label,
        patience.seconds,
        BOARD.box,
        settings.RELAY_BYTES,
        time.time() + wire.ORDER_SECONDS,
    )
    orders, text = wire.orders_of(target.queue), order.sealed()
    client = redis_boxes.client()
    with client.pipeline(transaction=False) as pipe:
        pipe.rpush(orders, text)
        pipe.expire(orders, int(TAKE_SECONDS) + 1)
        pipe.execute()
    if sock.wait(lambda end: bool(end.box), TAKE_SECONDS, patience.cancelled):
        return
    client.lrem(orders, 0, text)
    if patience.cancelled():
        raise _cancelled(target)
    raise HostRefusedError(
        f"No worker of the site with the queue {target.queue} answered within {TAKE_SECONDS:g} s, so {target.label} is not "
        f"reached. Is it running (make worker QUEUES={target.queue}), and has it not its ADMINSET_RELAY_MOST connections "
        "already?",
        "connect",
    )


def _await(sock: RelaySocket, target: Target, patience: Patience) -> None:
    seconds = patience.seconds + WAY_SECONDS
    in_time = sock.wait(lambda end: end.is_open, seconds, patience.cancelled)
    if sock.is_open and sock.words is None:
        return
    if patience.cancelled():
        raise _cancelled(target)
    words = sock.words or (
        f"{target.label} was not reached through a worker of {target.queue} within {seconds:g} s."
    )
    raise HostRefusedError(words, "" if in_time else "connect")


def _cancelled(target: Target) -> HostRefusedError:
    words = f"Cancelled while {target.label} was reached through a worker of {target.queue}."
    return HostRefusedError(words)


BOARD = Switchboard()


def _forget() -> None:
    """In a process that was just forked off: know no connection (those of the parent are kept from being collected)."""
    global BOARD
    _inherited.append(BOARD)
    BOARD = Switchboard()


_inherited: list[Switchboard] = []
os.register_at_fork(after_in_child=_forget)
