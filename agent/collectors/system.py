"""Load, processes, uptime and sessions."""

import os

import psutil

from agent.collectors.series import Field, Reading, Values
from agent.files import read_text
from agent.identity import since_boot

STAT = "/proc/stat"
FIELDS = (
    Field("load.1", "tasks", "runnable or in disk sleep, mean of 1 minute"),
    Field("load.5", "tasks", "the same of 5 minutes"),
    Field("load.15", "tasks", "the same of 15 minutes"),
    Field("processes.total", "processes", "processes that exist"),
    Field("processes.running", "processes", "runnable now"),
    Field("processes.blocked", "processes", "waiting for a disk now"),
    Field("system.uptime_seconds", "s", "time since boot"),
    Field("system.users", "sessions", "sessions signed in"),
)


def collect() -> Reading:
    values: Values = {
        "processes.total": len(psutil.pids()),
        "system.uptime_seconds": since_boot() / 1000.0,
        "system.users": len(psutil.users()),
    }
    # Windows has no such thing.
    if hasattr(os, "getloadavg"):
        for minutes, load in zip((1, 5, 15), os.getloadavg()):
            values[f"load.{minutes}"] = round(load, 2)
    for line in (read_text(STAT) or "").splitlines():
        name, _, count = line.partition(" ")
        if name in ("procs_running", "procs_blocked"):
            values["processes." + name[len("procs_") :]] = int(count)
    return Reading(values, {})
