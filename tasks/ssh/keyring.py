"""Opened private keys, kept for as long as connections are: opening one for each of a thousand hosts costs more than signing."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings

from tasks.targets import Login

Key = TypeVar("Key")
# Of this process only, so that what is remembered says nothing about a password.
_SALT = secrets.token_bytes(32)


def proof_of(login: Login) -> bytes:
    """Give what tells one proof of identity from another (not how it becomes root), and nothing else about it."""
    digest = hashlib.blake2b(key=_SALT, digest_size=32)
    for part in (login.password, login.private_key, login.passphrase):
        digest.update(b"-" if part is None else b"+%d:" % len(part.encode()))
        digest.update((part or "").encode())
    return digest.digest()


class Keyring(Generic[Key]):
    """Gives the opened key of a login; one that was not asked for in SSH_POOL_SECONDS is forgotten at the next question."""

    def __init__(self, load: Callable[[Login], Key]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._keys: dict[bytes, tuple[float, Key]] = {}
        os.register_at_fork(after_in_child=self.forget)

    def get(self, login: Login) -> Key:
        """Give the key of a login, opened once; what `load` raises goes through and is not remembered."""
        proof, now = proof_of(login), time.monotonic()
        with self._lock:
            old = now - settings.SSH_POOL_SECONDS
            self._keys = {p: kept for p, kept in self._keys.items() if kept[0] >= old}
            found = self._keys.get(proof)
            key = found[1] if found else self._load(login)
            self._keys[proof] = (now, key)
            return key

    def forget(self) -> None:
        """Forget all, in a process that was just forked off."""
        self._lock = threading.Lock()
        self._keys = {}
