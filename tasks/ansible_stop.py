"""Ends all that an Ansible run started: here, and on the hosts it was busy with."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from tasks.remote_stop import CONFIRMED, stop_by_connection

REMOTE_SECONDS = 6.0
# So many hosts are asked at the same time; each takes a process of ssh.
AT_ONCE = 25
LOOK_SECONDS = 0.02
ANSWER_BYTES = 4096
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
    ways = {process for process in frozen if _is_way(process)}
    # A wrapper's pid namespace ends with its first process, and the connections with it: what is above them stays, frozen.
    kept = ways.union(*map(_above, ways)) & frozen if notes else ways
    names = _shared_memory(frozen)
    lines = [_line(process) for process in frozen - ways]
    _kill(frozen - kept)
    doubtful = _stop_remote(json.loads(notes.read_text()), lines) if notes else []
    _kill(kept)
    for name in names:
        (SHARED_MEMORY / name).unlink(missing_ok=True)
    return doubtful


def _freeze(processes: Iterable[psutil.Process]) -> set[psutil.Process]:
    """Suspend processes until no new descendant appears, so that none gets away.

    The masters of ssh, and what carries them through jump hosts, stay awake: the hosts are told to stop through them.
    """
    frozen: set[psutil.Process] = set()
    waiting = set(processes)
    while waiting:
        process = waiting.pop()
        frozen.add(process)
        with suppress(psutil.Error):
            if not _is_way(process):
                process.suspend()
            waiting |= set(process.children()) - frozen
    return frozen


def _is_way(process: psutil.Process) -> bool:
    """Say whether a connection hangs on it: ssh's own master, or an ssh that only forwards (-W)."""
    line = _line(process)
    return (line.startswith("ssh: ") and "[mux]" in line) or (
        line.startswith("ssh ") and " -W " in line
    )


def _line(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _above(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.parents()
    return []


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


def _stop_remote(notes: list[dict[str, str]], lines: list[str]) -> list[str]:
    """Tell every connected host to end the commands of this run, many at once; return who did not confirm in time.

    Those for which one of `lines`, the command lines of the run's processes, speaks through the connection come first:
    there something is going on.
    """
    connected = [note for note in notes if Path(note["socket"]).exists()]
    busy = re.compile("|".join(re.escape(note["socket"]) + r"\b" for note in connected))
    at_work = {found for line in lines for found in busy.findall(line)}
    waiting = deque(sorted(connected, key=lambda note: note["socket"] not in at_work))
    asked: list[tuple[dict[str, str], subprocess.Popen[bytes]]] = []
    doubtful: list[str] = []
    deadline = time.monotonic() + REMOTE_SECONDS
    while (waiting or asked) and time.monotonic() < deadline:
        while waiting and len(asked) < AT_ONCE:
            note = waiting.popleft()
            asked.append((note, _ask(note)))
        time.sleep(LOOK_SECONDS)
        ended = [one for one in asked if one[1].poll() is not None]
        asked = [one for one in asked if one not in ended]
        doubtful += [note["host"] for note, process in ended if not _confirmed(process)]
    for note, process in asked:
        process.kill()
        process.wait()
        if not _confirmed(process):
            doubtful.append(note["host"])
    return doubtful + [note["host"] for note in waiting]


def _confirmed(process: subprocess.Popen[bytes]) -> bool:
    """Read what a host answered, once its ssh has ended."""
    if process.stdout is None:
        return False
    with process.stdout as answer:
        return CONFIRMED in answer.read(ANSWER_BYTES)


def _command(note: dict[str, str]) -> str:
    return stop_by_connection(as_root=bool(note["sudo"]), token=note["token"])


def _ask(note: dict[str, str]) -> subprocess.Popen[bytes]:
    """Open one more session on a living connection; never a connection of its own."""
    command = [
        *("ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "ControlMaster=no"),
        *("-o", "ProxyCommand=false", "-S", note["socket"].replace("%", "%%")),
        *("--", "adminset", _command(note)),
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
            process.stdin.close()
    return process
