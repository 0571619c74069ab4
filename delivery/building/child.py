"""Stands between a worker and one command of a build: sets its limits, ends it with all that it started, also when the worker dies.

Run as `python -I child.py`: the first line of its standard input is what to do, in JSON; the end of it means the worker's end. Knows
nothing of the portal. What a command leaves in the background comes to this process (a sub-reaper) and ends with it.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from typing import Any

LOOK_SECONDS = 0.1
SUBREAPER = 36
# Exit codes of our own, as `timeout` and shells have them.
TIMED_OUT, NOT_STARTED = 124, 127
LIMITS = {
    "memory": resource.RLIMIT_AS,
    "file": resource.RLIMIT_FSIZE,
    "open": resource.RLIMIT_NOFILE,
    "processes": resource.RLIMIT_NPROC,
}


def main() -> int:
    """Do what the first line of the standard input says; give the command's exit code."""
    job = json.loads(_line())
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    for name, most in job["limits"].items():
        _limit(LIMITS[name], most)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        process = subprocess.Popen(  # noqa: S603 - an argv list from the portal
            job["argv"],
            cwd=job["folder"],
            env=job["environment"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        os.write(1, f"{job['argv'][0]}: {error.strerror}\n".encode())
        return NOT_STARTED
    try:
        return _watched(process, job["seconds"])
    finally:
        _end_all()


def _line() -> bytes:
    """Read the first line and not a byte more: what comes after it is the pipe's end."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 65536)
        if not byte:
            sys.exit(NOT_STARTED)
        line += byte
    return line


def _limit(what: int, most: int) -> None:
    _soft, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


def _watched(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Wait for the command's end, its time, or the end of our worker."""
    deadline = time.monotonic() + seconds
    while True:
        code = process.poll()
        if code is not None:
            return code if code >= 0 else 128 - code
        if time.monotonic() > deadline:
            return TIMED_OUT
        ready, _writable, _failed = select.select([0], [], [], LOOK_SECONDS)
        if ready and not os.read(0, 4096):
            return 128 + signal.SIGKILL


def _end_all() -> None:
    """End every process below this one; those whose parents are gone have come to us."""
    for _try in range(50):
        found = _descendants()
        if not found:
            return
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def _descendants() -> set[int]:
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - thousands of them
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - likewise
                    state = file.read().rpartition(b")")[2].split()
                if state[0] != b"Z":
                    parents[int(name)] = int(state[1])
    ours, grown = {os.getpid()}, True
    while grown:
        more: set[Any] = {p for p, above in parents.items() if above in ours} - ours
        ours |= more
        grown = bool(more)
    return ours - {os.getpid()}


if __name__ == "__main__":
    sys.exit(main())
