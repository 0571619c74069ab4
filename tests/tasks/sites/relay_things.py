"""Both ends of relays for tests: a station in this process or in one of its own, and targets that are reached through it."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from django.conf import settings

from adminset import redis_boxes
from tasks.sites import relay_wire
from tasks.sites.relay import dial_relay
from tasks.sites.relay_socket import RelaySocket
from tasks.sites.relay_station import Station
from tasks.sites.relay_wire import Order
from tasks.ssh.ways import Patience
from tasks.targets import Login, Target

QUEUE = "idc.bj"
PATIENCE = Patience(5)
# A process that begins a station, or dials, and says so.
STATION = """
from tasks.sites.relay_station import Station
station = Station([{queue!r}])
station.start()
station.ready.wait()
print("ready", flush=True)
station.join()
"""
DIALLER = """
import time
from tasks.sites.relay import dial_relay
from tasks.ssh.ways import Patience
from tasks.targets import Login, Target
target = Target("echo", "127.0.0.1", {port}, Login(""), None, queue={queue!r})
sock = dial_relay(target, Patience(5))
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def a_station(*queues: str) -> Iterator[Station]:
    """Run a station in this process."""
    station = Station(list(queues or (QUEUE,)))
    station.start()
    assert station.ready.wait(10)
    try:
        yield station
    finally:
        station.stop()
        assert not station.is_alive()


@contextmanager
def a_process(text: str, **values: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the texts above in a process of its own, with this one's Redis and key ring."""
    entries = [
        f"{key_id}:{base64.b64encode(key).decode()}"
        for key_id, key in settings.ENCRYPTION_KEYS.items()
    ]
    told = os.environ | {
        "REDIS_URL": settings.REDIS_URL,
        "ADMINSET_ENCRYPTION_KEYS": ",".join(entries),
        "ADMINSET_RELAY_LEASE_SECONDS": str(settings.RELAY_LEASE_SECONDS),
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
    }
    code = f"import django\ndjango.setup()\n{text.format(queue=QUEUE, **values)}"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=told, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


def through(target: Target, queue: str = QUEUE) -> Target:
    """Give a target that is reached through workers."""
    return replace(target, queue=queue)


def at(port: int, queue: str = QUEUE) -> Target:
    """Give something at a port of this machine that is reached through workers."""
    return Target("echo", "127.0.0.1", port, Login(""), None, queue=queue)


def order(text: str, queue: str = QUEUE) -> None:
    """Leave an order as somebody does who can write to Redis."""
    redis_boxes.client().rpush(relay_wire.orders_of(queue), text)


def an_order(port: int, **changes: Any) -> Order:
    """Make an order for a port of this machine, and the box of who gives it."""
    box = redis_boxes.new_box()
    redis_boxes.keep(redis_boxes.client(), box, 60, new=True)
    values: dict[str, Any] = {
        "key": "ab" * relay_wire.KEY_BYTES,
        "queue": QUEUE,
        "address": "127.0.0.1",
        "port": port,
        "label": "echo",
        "seconds": 5.0,
        "box": box,
        "window": 2**20,
        "until": time.time() + 60,
    }
    return Order(**(values | changes))


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Listener:
    """A port of this machine; what comes to it is left lying until somebody reads."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(10)
        self.port: int = self.server.getsockname()[1]

    def accept(self) -> socket.socket:
        """Give the host's end of the next connection."""
        return self.server.accept()[0]

    def dialled(self) -> tuple[RelaySocket, socket.socket]:
        """Give both ends of a connection through a station."""
        near = dial_relay(at(self.port), PATIENCE)
        near.settimeout(10)
        far = self.accept()
        far.settimeout(10)
        return near, far


def read_all(far: socket.socket | RelaySocket, count: int) -> bytes:
    """Read so many bytes, fewer where it ends."""
    came = bytearray()
    while len(came) < count and (piece := far.recv(65536)):
        came += piece
    return bytes(came)


def send_all(near: socket.socket | RelaySocket, data: bytes) -> None:
    """Send all of it."""
    view = memoryview(data)
    while view:
        view = view[near.send(view) :]


def send_until_stuck(near: socket.socket | RelaySocket) -> int:
    """Send until nobody takes more; gives how much was taken."""
    near.settimeout(0.5)
    sent = 0
    with suppress(TimeoutError):
        while sent < 100 * 2**20:
            sent += near.send(bytes(65536))
    near.settimeout(10)
    return sent
