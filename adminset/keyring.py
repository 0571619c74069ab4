"""Where the portal's own keys lie: made once with mode 0600 under the data directory, or given by the environment."""

import base64
import os
import secrets
from pathlib import Path


def read_or_make(path: Path, make: str) -> str:
    """Read a one-line secret file; write `make` into it first if there is none (mode 0600, safe against a race)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(make + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text(encoding="ascii").strip()


def new_secret_key() -> str:
    """Make a value for Django's SECRET_KEY."""
    return secrets.token_urlsafe(48)


def new_encryption_key() -> str:
    """Make one entry of the key ring: `<key id>:<256-bit key in base64>`."""
    return (
        f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    )


def parse_ring(ring: str) -> dict[str, bytes]:
    """Read `id:key[,id:key ...]`; the first encrypts, all decrypt.

    Raises:
        ValueError: an entry is malformed; the message says which without showing the key.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(
        part for part in ring.replace("\n", ",").split(",") if part.strip()
    ):
        key_id, _, encoded = entry.strip().partition(":")
        key = base64.b64decode(encoded, validate=True) if encoded else b""
        if not key_id or len(key) != 32:
            raise ValueError(f"entry {number + 1} is not <id>:<32 bytes in base64>")
        keys[key_id] = key
    if not keys:
        raise ValueError("it is empty")
    return keys
