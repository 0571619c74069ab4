"""A local socket for values of others: off unless it is configured, open to this host alone.

Each datagram holds lines of Prometheus' text format. What is not sent again within
five minutes is forgotten.
"""

import ipaddress
import logging
import os
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any, Dict, Tuple

from agent import exposition
from agent.collectors.series import Values
from agent.errors import ConfigError
from agent.logs import quoted
from agent.tables import Found

LARGEST = 8192
MOST_VALUES = 500
KEPT_SECONDS = 300.0
MOST_A_SECOND = 200
STOP_SECONDS = 0.5
log = logging.getLogger(__name__)


class Push(threading.Thread):
    """Listens from `start` to `stop`; `listen` is a path, or `address:port` of the loopback."""

    def __init__(self, listen: str) -> None:
        super().__init__(name="push", daemon=True)
        self.guard = threading.Lock()
        self.received: Dict[str, Tuple[float, float]] = {}
        self.dropped = 0
        self.refused = False
        self.ended = False
        self.socket = bound(listen)
        self.socket.settimeout(STOP_SECONDS)

    def run(self) -> None:
        """No more than MOST_A_SECOND datagrams are read; the kernel drops the rest."""
        second, count = 0, 0
        while not self.ended:
            try:
                raw = self.socket.recv(LARGEST + 1)
            except socket.timeout:  # noqa: UP041 - another class before 3.10
                continue
            except OSError:
                return
            self.take(raw)
            count = count + 1 if int(time.monotonic()) == second else 1
            second = int(time.monotonic())
            if count >= MOST_A_SECOND:
                time.sleep(1.0 - time.monotonic() % 1.0)

    def stop(self) -> None:
        self.ended = True
        if self.is_alive():
            self.join(2 * STOP_SECONDS)
        self.socket.close()

    def take(self, raw: bytes) -> None:
        """Keep the values of one datagram; a bad one brings nothing."""
        try:
            if len(raw) > LARGEST:
                raise ValueError(f"it is larger than {LARGEST} bytes")
            values = exposition.parse(raw.decode("utf-8"))
        except ValueError as error:
            if not self.refused:
                log.warning("event=push_refused error=%s", quoted(error))
            self.refused = True
            return
        self.refused = False
        now = time.monotonic()
        with self.guard:
            self.forget(now)
            for name, value in values.items():
                if name in self.received or len(self.received) < MOST_VALUES:
                    self.received[name] = (now, float(value))
                else:
                    self.dropped += 1

    def forget(self, now: float) -> None:
        kept = self.received.items()
        self.received = {
            name: entry for name, entry in kept if now - entry[0] <= KEPT_SECONDS
        }

    def collect(self) -> Found:
        """What is there; `left_out` counts what came since the last time and had no room."""
        with self.guard:
            self.forget(time.monotonic())
            values: Values = {name: entry[1] for name, entry in self.received.items()}
            dropped, self.dropped = self.dropped, 0
        return Found(values=values, left_out={"pushed": dropped})


def bound(listen: str) -> socket.socket:
    """Raises ConfigError."""
    family, place = address(listen)
    found = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if isinstance(place, str):
            remove_socket(place)
        found.bind(place)
        if isinstance(place, str):
            Path(place).chmod(0o660)
    except OSError as error:
        found.close()
        raise ConfigError(
            f"The option push_listen names {listen}, where the agent cannot listen "
            f"({error.strerror}): give another path or port, or leave it out."
        ) from error
    return found


def remove_socket(path: str) -> None:
    """One that an agent left behind when it was killed; nothing but a socket."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            Path(path).unlink()
    except FileNotFoundError:
        return


def address(listen: str) -> Tuple[int, Any]:
    """Family and place; raises ConfigError for what is not of this host alone."""
    if listen.startswith("/"):
        return socket.AF_UNIX, listen
    host, _, port = listen.rpartition(":")
    try:
        found = ipaddress.ip_address(host.strip("[]"))
        number = int(port)
    except ValueError:
        found, number = None, 0
    if found is None or not found.is_loopback or not 0 < number < 65536:
        raise ConfigError(
            f"The option push_listen is {listen!r}: "
            "give the path of a socket, or 127.0.0.1:PORT."
        )
    family = socket.AF_INET if found.version == 4 else socket.AF_INET6
    return family, (str(found), number)
