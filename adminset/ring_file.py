"""Changes the file of the key ring: whole or not at all, one writer at a time, readable for its owner only."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adminset.keyring import entries, parse_ring

Change = Callable[[list[str]], list[str]]


def key_id(entry: str) -> str:
    """Give the id of an entry `<id>:<key>`."""
    return entry.partition(":")[0]


def add_first(path: Path, entry: str) -> None:
    """Put a new key at the head of the ring: it seals from now on, the others still open."""
    _rewrite(path, lambda held: [entry, *held])


def move_first(path: Path, wanted: str) -> None:
    """Put a key that is on the ring at its head."""
    _rewrite(path, lambda held: sorted(held, key=lambda one: key_id(one) != wanted))


def remove(path: Path, unwanted: set[str]) -> list[str]:
    """Take keys off the ring; give their entries, so that they can be put back."""
    taken: list[str] = []

    def change(held: list[str]) -> list[str]:
        taken.extend(one for one in held if key_id(one) in unwanted)
        return [one for one in held if one not in taken]

    _rewrite(path, change)
    return taken


def put_back(path: Path, taken: list[str]) -> None:
    """Put entries at the end of the ring again."""
    _rewrite(path, lambda held: [*held, *taken])


def _rewrite(path: Path, change: Change) -> None:
    """Replace the ring by what `change` makes of its entries.

    Raises:
        ValueError: that is no ring; the file stays as it is.
        OSError: the file cannot be read or written.
    """
    with _alone(path.parent):
        wanted = change(entries(path.read_text(encoding="ascii")))
        parse_ring("\n".join(wanted))
        _replace(path, "".join(f"{one}\n" for one in wanted))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        # The rename is not safe from a power cut before its folder is.
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    was = path.stat()
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            # Root at the command line must not take the file from the portal's user.
            if os.geteuid() == 0:
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
