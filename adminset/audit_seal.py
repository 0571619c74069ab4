"""The seals of the audit trail: what a line says in one canonical form, its own seal (mac), and the seal that chains it."""

import hashlib
import hmac
import json
import math
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

# What a line's own seal covers. Not actor_id: it is emptied when the user is deleted, the name stays.
SEALED_FIELDS = (
    "at",
    "actor_kind",
    "actor_name",
    "verb",
    "target_type",
    "target_id",
    "target_name",
    "changes",
    "reason",
    "request_id",
    "address",
)
NONCE_BYTES = 8
MAC_LENGTH = 64
# Beyond it a number is kept as text: databases and JSON readers round it, each in its own way.
EXACT_NUMBERS = 2**53


def storable(value: Any) -> Any:
    """Bring a value into a form that every database gives back as it was: no NUL, no half characters, no odd numbers."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= EXACT_NUMBERS else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return clean(str(value))


def clean(text: str) -> str:
    """Replace what no database keeps in a text."""
    if text.isascii() and "\x00" not in text:
        return text
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def canonical(content: Iterable[Any]) -> bytes:
    """Write the sealed fields, in their order, as JSON in which equal values look equal whatever the database made of them."""
    return json.dumps(
        [_plain(value) for value in content], sort_keys=True, separators=(",", ":")
    ).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int | float):
        # 1, 1.0 and 1e0 are one number to a database; so is minus nought.
        return float(value) + 0.0
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{type(value).__name__} has no place in an audit line")


def mac_of(content: Iterable[Any]) -> str:
    """Seal a new line: a random part, so that no two lines have the same, and the HMAC over it and the content.

    Args:
        content: values of SEALED_FIELDS in their order.
    """
    nonce = os.urandom(NONCE_BYTES).hex()
    return _mac(_newest_key(), nonce, canonical(content))


def is_authentic(mac: str, content: Iterable[Any]) -> bool:
    """Say whether the portal wrote this content: whether its seal is right under a key of the ring."""
    if len(mac) != MAC_LENGTH:
        return False
    nonce, written = mac[: NONCE_BYTES * 2], canonical(content)
    return any(
        hmac.compare_digest(_mac(key, nonce, written).encode(), mac.encode())
        for key in settings.AUDIT_KEYS.values()
    )


def _mac(key: bytes, nonce: str, content: bytes) -> str:
    message = b"adminset audit line\0" + nonce.encode() + content
    digest = hmac.digest(key, message, hashlib.sha256).hex()
    return nonce + digest[: MAC_LENGTH - len(nonce)]


def seal_of(before: str, position: int, pk: int, mac: str) -> str:
    """Chain a line behind the one before it.

    Args:
        before: seal of the line before, "" for the first.
        position: place in the chain, from 1.
        pk: id of the line, so that a copy elsewhere is no replacement.
    """
    return _seal(_newest_key(), before, position, pk, mac)


def fits(seal: str, before: str, position: int, pk: int, mac: str) -> bool:
    """Say whether a seal is that of this line at this place, under a key of the ring."""
    return any(
        hmac.compare_digest(
            _seal(key, before, position, pk, mac).encode(), seal.encode()
        )
        for key in settings.AUDIT_KEYS.values()
    )


def _seal(key: bytes, before: str, position: int, pk: int, mac: str) -> str:
    message = f"adminset audit chain\0{before}\0{position}\0{pk}\0{mac}".encode()
    return hmac.digest(key, message, hashlib.sha256).hex()


def _newest_key() -> bytes:
    return next(iter(settings.AUDIT_KEYS.values()))
