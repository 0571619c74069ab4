"""Secrets at rest: AES-256-GCM with key ids, so that keys can be changed without losing what they sealed."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

from adminset.errors import DomainError
from adminset.keyring import KeyRing
from adminset.redaction import MASK, known

NONCE_BYTES = 12
FORMAT = "v1"


def ring() -> Mapping[str, bytes]:
    """Give the key ring as it is now: one that lies in a file is looked at again, so that no process seals with a key that left."""
    keys = settings.ENCRYPTION_KEYS
    if isinstance(keys, KeyRing):
        keys.refresh()
    return keys


def encrypt(plain: str, context: str, key_id: str = "") -> str:
    """Seal a text: `v1:<key id>:<base64 of nonce and ciphertext>`.

    Args:
        plain: the secret.
        context: where it belongs, such as "cmdb.credential.password"; a text moved elsewhere does not open.
        key_id: the key; the first of the ring unless given.
    """
    keys = ring()
    key_id = key_id or next(iter(keys))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(keys[key_id]).encrypt(nonce, plain.encode(), context.encode())
    return f"{FORMAT}:{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def key_id_of(sealed: str) -> str:
    """Name the key that sealed a text; "" for a text that nothing of ours sealed."""
    parts = sealed.split(":")
    return parts[1] if len(parts) == 3 and parts[0] == FORMAT else ""


def decrypt(sealed: str, context: str) -> str:
    """Open what `encrypt` sealed; a key that is not known yet is looked for in the file of the ring.

    Raises:
        DomainError: the key is not on the ring, or the text was altered or moved.
    """
    key_id = key_id_of(sealed)
    if not key_id:
        raise DomainError(
            f"The secret in {context} cannot be opened: it is no sealed text.",
            "Enter the secret again.",
            code="broken_secret",
        )
    key = settings.ENCRYPTION_KEYS.get(key_id) or ring().get(key_id)
    if key is None:
        raise DomainError(
            f"The secret in {context} cannot be opened: its key {key_id} is not on the key ring.",
            "Put the key that sealed it back into ADMINSET_ENCRYPTION_KEYS, or into the file of the ring.",
            code="unknown_key",
        )
    try:
        raw = base64.b64decode(sealed.rpartition(":")[2], validate=True)
        return (
            AESGCM(key)
            .decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
            .decode()
        )
    except (InvalidTag, ValueError) as error:
        raise DomainError(
            f"The secret in {context} cannot be opened: it was altered or belongs elsewhere.",
            "Enter the secret again.",
            code="broken_secret",
        ) from error


class Secret:
    """A sealed text that shows itself to nobody: `reveal()` is the only way in."""

    def __init__(self, sealed: str, context: str) -> None:
        self.sealed = sealed
        self._context = context

    def reveal(self) -> str:
        """Open it, for use and never for display; logs of this process mask it from now on."""
        plain = decrypt(self.sealed, self._context)
        known.add(plain)
        return plain

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__


class EncryptedTextField(models.TextField):
    """A text column that holds only sealed values; reads as `Secret` or None, takes a plain str, a Secret or None."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    @property
    def context(self) -> str:
        """Where the sealed text belongs."""
        return f"{self.model._meta.label_lower}.{self.name}"

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        """Wrap what the database holds, unopened."""
        return Secret(value, self.context) if value else None

    def to_python(self, value: Any) -> Any:
        """Leave a Secret as it is."""
        return value

    def get_prep_value(self, value: Any) -> str | None:
        """Seal a plain text; pass a sealed one through."""
        if value is None or value == "":
            return None
        if isinstance(value, Secret):
            return value.sealed
        known.add(str(value))
        return encrypt(str(value), self.context)


def digest(token: str) -> str:
    """Hash a random token with a pepper (HMAC-SHA256): enough for 256 random bits, and quick on every request."""
    pepper = hashlib.sha256(
        b"adminset token pepper" + settings.SECRET_KEY.encode()
    ).digest()
    return hmac.new(pepper, token.encode(), hashlib.sha256).hexdigest()


def digest_matches(token: str, stored: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(token), stored)
