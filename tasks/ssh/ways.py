"""The direct way to a host, and what every way has in common: how long one is patient, and who may call one back."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tasks.ssh.words import connect_sentence
from tasks.targets import HostRefusedError, Target

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0


def never() -> bool:
    """Say that nobody cancelled."""
    return False


@dataclass(frozen=True)
class Patience:
    """How many seconds each step to a host may take, and who is asked whether to give up."""

    seconds: float
    cancelled: Callable[[], bool] = never


# Gives a socket, or what behaves like one, that ends at the target's port.
Dial = Callable[[Target, Patience], Any]


def dial_directly(target: Target, patience: Patience) -> socket.socket:
    """Open a TCP connection; raises HostRefusedError."""
    try:
        sock = socket.create_connection((target.address, target.port), patience.seconds)
    except (OSError, UnicodeError) as error:
        words = connect_sentence(error, target.label, patience.seconds)
        limit = "connect" if isinstance(error, TimeoutError) else ""
        raise HostRefusedError(words, limit) from error
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def pauses() -> Iterator[float]:
    """Give how long to wait before each further try: longer each time, and never all hosts together."""
    mean, chance = FIRST_PAUSE_SECONDS, secrets.SystemRandom()
    while True:
        yield mean * chance.uniform(0.5, 1.5)
        mean = min(mean * 2, LONGEST_PAUSE_SECONDS)
