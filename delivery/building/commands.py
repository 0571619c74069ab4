"""Runs one command of a build in its room: an environment from nothing, limits, a live output, an end to all that it started."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.building.log import BuildLog
from delivery.building.rooms import Room

CHILD = Path(__file__).with_name("child.py")
LOOK_SECONDS = 0.5
# How large the room has become is counted so often.
DISK_SECONDS = 5.0
READ_BYTES = 64 * 1024
TIMED_OUT = 124
# The child needs so long at most to end what it has started.
GRACE_SECONDS = 10.0


class BuildError(DomainError):
    """A build that did not end well; `exit_code` is the command's, where one ran.

    The sentence is for a person and names the stage.
    """

    def __init__(
        self, message: str, hint: str = "", *, exit_code: int | None = None
    ) -> None:
        super().__init__(message, hint, code="build_failed")
        self.exit_code = exit_code


def run_command(
    room: Room,
    command: str,
    environment: Mapping[str, str],
    log: BuildLog,
    *,
    seconds: int,
    look: Callable[[], None],
) -> int:
    """Run a text of shell commands in the source's folder; it stops at the first line that fails.

    Args:
        environment: values besides PATH, HOME and the like. seconds: patience.
        look: called about twice a second; what it raises ends the command and is raised here.

    Returns:
        the exit code; 124 where it took too long, 128 + signal where a signal ended it.

    Raises:
        BuildError: it took too much of the disk.
    """
    script = room.root / "command"
    script.unlink(missing_ok=True)
    script.write_text(command, encoding="utf-8")
    process = _started(room, _job(room, script, environment, seconds))
    try:
        _follow(process, room, log, look)
    finally:
        _ended(process)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _job(
    room: Room, script: Path, environment: Mapping[str, str], seconds: int
) -> dict[str, Any]:
    limits = {
        "memory": settings.BUILD_MEMORY_BYTES,
        "file": settings.BUILD_FILE_BYTES,
        "open": settings.BUILD_OPEN_FILES,
        "processes": settings.BUILD_PROCESSES,
    }
    return {
        "argv": [*_wrapper(room), "/bin/sh", "-e", str(script)],
        "folder": str(room.source),
        "environment": {**environment, **_own_environment(room)},
        "limits": {name: most for name, most in limits.items() if most},
        "seconds": seconds,
    }


def _wrapper(room: Room) -> list[str]:
    places = {
        "{folder}": str(room.root),
        "{home}": str(room.home),
        "{caches}": str(room.caches),
    }
    words = list(settings.BUILD_WRAPPER)
    for mark, place in places.items():
        words = [word.replace(mark, place) for word in words]
    return words


def _own_environment(room: Room) -> dict[str, str]:
    return {
        "PATH": settings.BUILD_PATH,
        "HOME": str(room.home),
        "TMPDIR": str(room.temporary),
        "XDG_CACHE_HOME": str(room.caches / "tools"),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "CI": "true",
        "TZ": "UTC",
        "SHELL": "/bin/sh",
    }


def _started(room: Room, job: dict[str, Any]) -> subprocess.Popen[bytes]:
    (room.caches / "tools").mkdir(mode=0o700, parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - no shell, words of ours
        [sys.executable, "-I", str(CHILD)],
        cwd=room.root,
        # HOME lets the next attempt find it, should this worker be killed.
        env={"PATH": os.defpath, "HOME": str(room.home), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    stdin = cast("IO[bytes]", process.stdin)
    # A child that is gone already says why by its exit code.
    with suppress(OSError):
        stdin.write(json.dumps(job).encode() + b"\n")
        stdin.flush()
    return process


def _follow(
    process: subprocess.Popen[bytes],
    room: Room,
    log: BuildLog,
    look: Callable[[], None],
) -> None:
    """Write what comes into the log until the end; look around in between."""
    handle = cast("IO[bytes]", process.stdout).fileno()
    looked, counted = 0.0, time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if now - looked > LOOK_SECONDS:
                looked = now
                look()
                check_free(room)
            if now - counted > DISK_SECONDS:
                counted = now
                check_disk(room)
            if not selector.select(LOOK_SECONDS):
                # Something that got away may hold the pipe open.
                if process.poll() is not None:
                    return
                continue
            data = os.read(handle, READ_BYTES)
            if not data:
                return
            log.write(data)


def check_disk(room: Room) -> None:
    """See that a build has not taken more of the disk than it may.

    Raises:
        BuildError: it has.
    """
    most, own = settings.BUILD_DISK_BYTES, room.size()
    caches = room.size_of_caches()
    # Caches that are lent to it lie in its own folder by now.
    if own > most or own + caches > most + settings.BUILD_CACHE_BYTES:
        raise BuildError(
            _("The build took more than %(most)s MiB of the disk.")
            % {"most": most // 2**20},
            _("Let it write less, or raise ADMINSET_BUILD_DISK_BYTES."),
        )


def check_free(room: Room) -> None:
    """See that something of the disk is left for others; asked often, because a disk is filled in seconds.

    Raises:
        BuildError: it is not.
    """
    least = settings.BUILD_FREE_BYTES
    if shutil.disk_usage(room.root).free < least:
        raise BuildError(
            _("Less than %(least)s MiB of the disk are free.")
            % {"least": least // 2**20},
            _("Make room on the portal's machine, or lower ADMINSET_BUILD_FREE_BYTES."),
        )


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Close the child's standard input, which tells it to end all; kill it where it does not."""
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
