"""Load, processes, uptime and sessions."""

import os
from pathlib import Path

import psutil

from agent.collectors.series import Field, Reading, Values

STAT, UPTIME = "/proc/stat", "/proc/uptime"
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
    one, five, fifteen = os.getloadavg()
    values: Values = {
        "load.1": round(one, 2),
        "load.5": round(five, 2),
        "load.15": round(fifteen, 2),
        "processes.total": len(psutil.pids()),
        "system.uptime_seconds": float(Path(UPTIME).read_text().split()[0]),
        "system.users": len(psutil.users()),
    }
    for line in Path(STAT).read_text().splitlines():
        name, _, count = line.partition(" ")
        if name in ("procs_running", "procs_blocked"):
            values["processes." + name[len("procs_") :]] = int(count)
    return Reading(values, {})
