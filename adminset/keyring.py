"""Where the portal's own keys lie: made once with mode 0600 under the data directory, or given by the environment."""

import base64
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

logger = logging.getLogger(__name__)


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


def entries(ring: str) -> list[str]:
    """Split a ring into its entries, which stand one a line or between commas."""
    parts = ring.replace("\n", ",").split(",")
    return [part.strip() for part in parts if part.strip()]


def parse_ring(ring: str) -> dict[str, bytes]:
    """Read `id:key[,id:key ...]`; the first encrypts, all decrypt.

    Raises:
        ValueError: an entry is malformed; the message says which without showing the key.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries(ring)):
        key_id, _, encoded = entry.partition(":")
        key = base64.b64decode(encoded, validate=True) if encoded else b""
        if not key_id or len(key) != 32:
            raise ValueError(f"entry {number + 1} is not <id>:<32 bytes in base64>")
        keys[key_id] = key
    if not keys:
        raise ValueError("it is empty")
    return keys


class KeyRing(Mapping[str, bytes]):
    """Keys by id, the first one seals. A ring that lies in a file is read again when the file has changed.

    Args:
        text: the ring as it stands in the environment or the file.
        path: the file, if it lies in one.
        ours: the file is the portal's own, so that `manage.py rotate_keys` may write it.
    """

    def __init__(self, text: str, path: Path | None = None, *, ours: bool = False):
        self.path, self.ours = path, ours
        self._keys = parse_ring(text)
        self._stamp: tuple[int, ...] = ()

    def __getitem__(self, key_id: str) -> bytes:
        return self._keys[key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    def refresh(self) -> None:
        """Take in a change of the file; one that is broken or away leaves the keys as they were."""
        if self.path is None:
            return
        try:
            found = self.path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._keys = parse_ring(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            logger.warning("the key ring %s cannot be read again: %s", self.path, error)


def open_ring(given: str, given_file: str, own: Path) -> KeyRing:
    """Open the ring of the environment (by value, or by the file it names), else the portal's own file.

    Raises:
        ValueError: it is malformed; the message shows no key.
    """
    if given:
        return KeyRing(given, Path(given_file) if given_file else None)
    return KeyRing(read_or_make(own, new_encryption_key()), own, ours=True)
