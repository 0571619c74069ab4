"""Looks before it leaps: Python, venv, disk, data directory and port, each failure in one sentence with its cure."""

import errno
import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

from adminset.launch.config import Place
from adminset.launch.errors import LaunchError

OLDEST = (3, 11)
COLD_BYTES = 1_500_000_000
WARM_BYTES = 200_000_000


def look(place: Place) -> None:
    """Check all that can be known before work starts.

    Raises:
        LaunchError: something is missing; only the first finding is said.
    """
    python(sys.version_info[:2])
    writable(place.data)
    if not place.python.exists():
        venv_module()
    room(place, COLD_BYTES if cold(place) else WARM_BYTES)


def cold(place: Place) -> bool:
    """True before the first set-up, which needs room for packages and caches."""
    return not (place.venv / "adminset.stamp").exists()


def python(version: tuple[int, ...]) -> None:
    """Require a Python that the pinned packages support."""
    if version < OLDEST:
        found = ".".join(map(str, version))
        raise LaunchError(
            f"Python {found} is too old: AdminSet needs 3.11 or newer. "
            "Install it (Debian 12 and Ubuntu 24.04 have it) and run the command again."
        )


def venv_module() -> None:
    """Require venv together with ensurepip, which Debian ships apart."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    raise LaunchError(
        "Python's venv module is missing. Install it (apt install python3-venv) "
        "and run the command again."
    )


def writable(data: Path) -> None:
    """Require a data directory in which files can be made."""
    probe = data / "run" / f".probe.{os.getpid()}"
    try:
        for name in ("run", "log", "cache"):
            (data / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise LaunchError(_no_room(data, 0, WARM_BYTES)) from error
        raise LaunchError(
            f"The data directory {data} cannot be written ({error.strerror}). "
            "Give this user the right to write there, or name another by ADMINSET_DATA_DIR."
        ) from error


def room(place: Place, wanted: int) -> None:
    """Require free disk space for the code's place and the data's."""
    for folder in (place.root, place.data):
        free = shutil.disk_usage(folder).free
        if free < wanted:
            raise LaunchError(_no_room(folder, free, wanted))


def _no_room(folder: Path, free: int, wanted: int) -> str:
    return (
        f"The disk of {folder} has {free / 1e9:.1f} GB free, {wanted / 1e9:.1f} GB are needed. "
        "Free some, or put the data elsewhere by ADMINSET_DATA_DIR."
    )


def port(place: Place) -> None:
    """Require that nobody listens on the portal's port."""
    try:
        is_free = port_is_free(place.bind, place.port)
    except OSError as error:
        raise LaunchError(
            f"Address {place.bind} port {place.port} cannot be used ({error.strerror}). "
            "Choose others by BIND and PORT, as in PORT=8123 make up."
        ) from error
    if not is_free:
        other = 8123 if place.port != 8123 else 8124
        raise LaunchError(
            f"Port {place.port} is in use by another program. "
            f"Stop that program or choose another port: PORT={other} make up."
        )


def port_is_free(host: str, number: int) -> bool:
    """True when the address can be bound now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True
