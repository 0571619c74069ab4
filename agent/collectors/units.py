"""Units of systemd and their states, as `systemctl list-units` says."""

from typing import List, Tuple

from agent import programs
from agent.collectors.series import Field
from agent.tables import Found, table

COLUMNS = ("name", "load", "active", "sub")
ARGUMENTS = ["list-units", "--all", "--plain", "--no-legend", "--no-pager", "--full"]
KINDS = ("service", "socket", "timer", "mount", "target")
SECONDS = 10.0
FIELDS = (
    Field("units.active", "units", "active, of services, sockets, timers, mounts"),
    Field("units.failed", "units", "failed, of the same kinds"),
)
RANKS = {"failed": 0, "activating": 1, "deactivating": 1, "reloading": 1, "active": 2}
Unit = Tuple[str, str, str, str]


def collect() -> Found:
    """Nothing where there is no systemd; what only waits to be used is left out."""
    path = programs.find("systemctl")
    if path is None:
        return Found()
    kinds = ["--type=" + ",".join(KINDS)]
    text = programs.output(path, ARGUMENTS + kinds, SECONDS)
    found = [
        unit for unit in map(parse, text.splitlines()) if len(unit) == len(COLUMNS)
    ]
    if not found:
        return Found()
    shown = [unit for unit in found if unit[2] != "inactive"]
    shown.sort(key=lambda unit: (RANKS.get(unit[2], 1), unit[0]))
    values = {
        "units.active": sum(unit[2] == "active" for unit in found),
        "units.failed": sum(unit[2] == "failed" for unit in found),
    }
    return Found(tables=[table("units", COLUMNS, shown)], values=dict(values))


def parse(line: str) -> List[str]:
    """`name load active sub description`; a failed unit may carry a dot in front."""
    return line.strip("●*○× \t").split(None, 4)[:4]
