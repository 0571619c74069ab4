"""Finds and ends what belongs to one portal, also children that moved to a session of their own."""

import time

import psutil

# In the environment of every process of a portal; its value is the data directory.
MARK = "ADMINSET_LAUNCHED_FROM"
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


def leftovers(mark: str) -> list[psutil.Process]:
    """Find every process with this mark, this one excepted."""
    mine = psutil.Process().pid
    return [
        process
        for process in psutil.process_iter()
        if process.pid != mine and _has(process, mark)
    ]


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (*GONE, OSError):
        return False


def wait_for_keeper(mark: str, seconds: float) -> None:
    """Wait for the process manager of a killed launcher, which is about to stop its programs."""
    deadline = time.monotonic() + seconds
    while any(map(_is_keeper, leftovers(mark))) and time.monotonic() < deadline:
        time.sleep(0.2)


def _is_keeper(process: psutil.Process) -> bool:
    try:
        return "adminset.launch.keeper" in process.cmdline()
    except GONE:
        return False


def kill_all(mark: str) -> int:
    """Kill what is left, and what it starts meanwhile; return how many."""
    killed: set[int] = set()
    for _ in range(5):
        found = leftovers(mark)
        if not found:
            break
        for process in found:
            _kill(process)
        psutil.wait_procs(found, timeout=0.5)
        killed.update(process.pid for process in found)
    return len(killed)


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except GONE:
        return
