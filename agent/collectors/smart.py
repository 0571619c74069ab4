"""What disks say of their own health, by smartctl where it is there and allowed."""

import json
from typing import Any, Dict, List, Optional

from agent import programs
from agent.collectors.series import Field, Values, series
from agent.tables import Found, Row, table

COLUMNS = ("device", "healthy", "temperature", "power_on_hours")
SECONDS = 20.0
MOST_DEVICES = 64
FIELDS = (
    Field("smart.healthy", "flag", "0: the disk expects to fail"),
    Field("smart.temperature_celsius", "°C", "of the disk"),
)


def collect() -> Found:
    """Only root may ask a disk; without permission there is no row. Wakes no disk."""
    path = programs.find("smartctl")
    if path is None:
        return Found()
    rows = []
    listed = dictionaries(answer(path, ["--scan", "--json"]).get("devices"))
    for device in listed[:MOST_DEVICES]:
        name, kind = str(device.get("name")), str(device.get("type"))
        if name.startswith("/dev/"):
            options = ["--json", "--health", "--attributes", "--nocheck=standby"]
            row = read(name, answer(path, [*options, "--device=" + kind, name]))
            rows += [row] if row else []
    tables = [table("smart", COLUMNS, rows)] if rows else []
    return Found(tables, measured(rows), {"smart": len(listed[MOST_DEVICES:])})


def answer(path: str, arguments: List[str]) -> Dict[str, Any]:
    """smartctl before 7.0 knows no JSON: as a disk that says nothing."""
    try:
        found = json.loads(programs.output(path, arguments, SECONDS))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def dictionaries(value: Any) -> List[Dict[str, Any]]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def read(name: str, found: Dict[str, Any]) -> Optional[Row]:
    """None where the disk did not say whether it is well."""
    passed = inner(found, "smart_status", "passed")
    if not isinstance(passed, bool):
        return None
    return (
        name[len("/dev/") :],
        passed,
        integer(inner(found, "temperature", "current")),
        integer(inner(found, "power_on_time", "hours")),
    )


def inner(found: Dict[str, Any], outer: str, name: str) -> Any:
    group = found.get(outer)
    return group.get(name) if isinstance(group, dict) else None


def integer(value: Any) -> Optional[int]:
    return value if isinstance(value, int) else None


def measured(rows: List[Row]) -> Values:
    values: Values = {}
    for device, healthy, temperature, _hours in rows:
        values[series("smart.healthy", device)] = int(bool(healthy))
        if isinstance(temperature, int):
            values[series("smart.temperature_celsius", device)] = temperature
    return values
