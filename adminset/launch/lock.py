"""One portal a data directory: the launcher holds a lock for as long as it lives, however it dies."""

import fcntl
import json
import os

from adminset.launch.config import Place
from adminset.launch.errors import LaunchError


def take(place: Place) -> None:
    """Lock the data directory; the lock lives on through exec and ends with this process.

    Raises:
        LaunchError: another launcher runs the portal from the same data.
    """
    handle = os.open(place.run_dir / "launcher.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise LaunchError(_already(place, owner)) from error
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    os.set_inheritable(handle, True)


def _already(place: Place, owner: str) -> str:
    try:
        ready = json.loads((place.run_dir / "ready.json").read_text(encoding="utf-8"))
        where = f"already running at {ready['url']}"
    except (OSError, ValueError, KeyError, TypeError):
        where = "already being started"
    return (
        f"This portal is {where}, pid {owner}. Stop it (kill {owner}), or start a second one "
        "with its own data: ADMINSET_DATA_DIR=/other/place PORT=8123 make up."
    )
