"""Ends all that an Ansible run started: here, and on the hosts it was busy with."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from tasks.remote_stop import CONFIRMED, stop_by_connection

REMOTE_SECONDS = 6.0
LOCAL_SECONDS = 3.0
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where POSIX shared memory lives
ASKPASS_VARIABLE = "_ANSIBLE_SSH_ASKPASS_SHM"


def family(pid: int) -> set[psutil.Process]:
    """Return the process and all its descendants, or nothing when it is gone."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return {parent, *parent.children(recursive=True)}
    return set()


def stop(processes: Iterable[psutil.Process], notes: Path | None = None) -> list[str]:
    """End processes and their descendants; return hosts that did not confirm.

    With `notes` (the run's stop.json) the commands in flight on the hosts end too,
    through the SSH connections that ssh still holds open for the run: those live
    until the hosts have answered, at most 6 seconds.
    """
    frozen = _freeze(processes)
    masters = {process for process in frozen if _is_master(process)}
    names = _shared_memory(frozen)
    _kill(frozen - masters)
    doubtful = _stop_remote(json.loads(notes.read_text())) if notes else []
    _kill(masters)
    for name in names:
        (SHARED_MEMORY / name).unlink(missing_ok=True)
    return doubtful


def _freeze(processes: Iterable[psutil.Process]) -> set[psutil.Process]:
    """Suspend processes until no new descendant appears, so that none gets away.

    The masters of ssh stay awake: the hosts are told to stop through them.
    """
    frozen: set[psutil.Process] = set()
    waiting = set(processes)
    while waiting:
        process = waiting.pop()
        frozen.add(process)
        with suppress(psutil.Error):
            if not _is_master(process):
                process.suspend()
            waiting |= set(process.children()) - frozen
    return frozen


def _is_master(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        line = " ".join(process.cmdline())
        return line.startswith("ssh: ") and "[mux]" in line
    return False


def _shared_memory(processes: Iterable[psutil.Process]) -> set[str]:
    """Return the names of the segments that pass passwords to ssh.

    Ansible removes them when ssh ends; a killed Ansible cannot.
    """
    names = set()
    for process in processes:
        with suppress(psutil.Error):
            name = process.environ().get(ASKPASS_VARIABLE, "")
            if name and "/" not in name.lstrip("/"):
                names.add(name.lstrip("/"))
    return names


def _kill(processes: Iterable[psutil.Process]) -> None:
    doomed = list(processes)
    for process in doomed:
        with suppress(psutil.Error):
            process.kill()
    deadline = time.monotonic() + LOCAL_SECONDS
    while any(map(_lives, doomed)) and time.monotonic() < deadline:
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    """Say whether a process still runs; a zombie only waits for its parent."""
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _stop_remote(notes: list[dict[str, str]]) -> list[str]:
    """Tell every connected host to end the commands of this run, all at once."""
    asked = [(note, _ask(note)) for note in notes if Path(note["socket"]).exists()]
    deadline = time.monotonic() + REMOTE_SECONDS
    doubtful = []
    for note, process in asked:
        answer = b""
        with suppress(subprocess.TimeoutExpired, ValueError):
            left = max(0.1, deadline - time.monotonic())
            answer, _ = process.communicate(timeout=left)
        if CONFIRMED not in answer:
            process.kill()
            process.wait()
            doubtful.append(note["host"])
    return doubtful


def _ask(note: dict[str, str]) -> subprocess.Popen[bytes]:
    """Open one more session on a living connection; never a connection of its own."""
    command = [
        *("ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "ControlMaster=no"),
        *("-o", "ProxyCommand=false", "-S", note["socket"].replace("%", "%%")),
        *("--", "adminset", stop_by_connection(as_root=bool(note["sudo"]))),
    ]
    process = subprocess.Popen(  # noqa: S603 - no shell, words of our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.write((note["password"] or "").encode() + b"\n")
            process.stdin.flush()
    return process
