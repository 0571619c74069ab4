"""What the two ends of a relay say to each other over Redis: orders, sealed with the key ring, and frames."""

from __future__ import annotations

import json
import struct
import time
from dataclasses import asdict, dataclass
from typing import NamedTuple

from adminset import redis_door
from adminset.crypto import decrypt, encrypt
from adminset.errors import DomainError

GONE = "The worker that passed the connection on is gone."

# TAKEN: window (4 bytes) and box of the worker. OPENED: nothing. DATA: offset (8 bytes) and bytes. CREDIT: bytes that were
# passed on (4 bytes). END: why, in words.
TAKEN, OPENED, DATA, CREDIT, END = range(1, 6)
KEY_BYTES = 16
PIECE_BYTES = 256 * 1024
# Signs of life are renewed so many times while they hold.
BEATS = 3
CONTEXT = "tasks.relay.order"
# An order that is shown again after so long is refused for that, and one shown again earlier because it is known.
ORDER_SECONDS = 120


@dataclass(frozen=True)
class Order:
    """A connection that workers of a queue are to open: where to, within how long, and for whom."""

    key: str
    queue: str
    address: str
    port: int
    label: str
    seconds: float
    box: str
    window: int
    until: float

    def sealed(self) -> str:
        """Seal it: only who holds the portal's key ring can order, and read where to."""
        return encrypt(json.dumps(asdict(self)), CONTEXT)

    @classmethod
    def opened(cls, text: str) -> Order:
        """Open one.

        Raises:
            DomainError: it was not sealed by the portal, or is old.
        """
        order = cls(**json.loads(decrypt(text, CONTEXT)))
        if order.until < time.time():
            raise DomainError("The order is old.", code="old_order")
        return order


class Frame(NamedTuple):
    """One message of a relay."""

    key: bytes
    kind: int
    body: bytes

    def packed(self) -> bytes:
        """Give its bytes."""
        return self.key + bytes([self.kind]) + self.body

    @classmethod
    def read(cls, piece: bytes) -> Frame:
        """Read the bytes of one."""
        return cls(piece[:KEY_BYTES], piece[KEY_BYTES], piece[KEY_BYTES + 1 :])


def number(value: int) -> bytes:
    """Write a count of bytes."""
    return struct.pack(">I", value)


def number_of(body: bytes) -> int:
    """Read a count of bytes."""
    return int.from_bytes(body[:4])


def with_offset(offset: int, data: bytes) -> bytes:
    """Write bytes with the place at which they stand."""
    return struct.pack(">Q", offset) + data


def orders_of(queue: str) -> str:
    """Name the list of the orders for a queue's workers."""
    return f"adminset:relay-orders:{queue}"


def has_station(queue: str) -> bool:
    """Say whether a worker of a queue takes orders at this moment."""
    return bool(redis_door.noted(f"relay:{queue}"))


def sign_of_station(queue: str) -> str:
    """Name the sign that a worker of a queue takes orders."""
    return f"adminset:note:relay:{queue}"
